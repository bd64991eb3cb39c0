// Goal: the list holds what was put in, in order, and its links are whole after every step.
// Method: random operations on a few lists and elements, the same on std::list, compared each time.
#include "util/intrusive_list.h"

#include <algorithm>
#include <array>
#include <list>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace larder::util {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

struct Element : ListNode<> {
  int number = 0;
};
using List = IntrusiveList<Element>;

template <typename AnyList>
std::vector<int> Numbers(AnyList& list) {
  std::vector<int> numbers;
  for (const auto& element : list) numbers.push_back(element.number);
  return numbers;
}

std::vector<int> NumbersBackwards(List& list) {
  std::vector<int> numbers;
  for (auto it = list.end(); it != list.begin();) numbers.push_back((--it)->number);
  return numbers;
}

TEST(IntrusiveList, StartsEmpty) {
  List list;
  EXPECT_TRUE(list.Empty());
  EXPECT_EQ(list.begin(), list.end());
  EXPECT_EQ(list.PopFront(), nullptr);
  EXPECT_EQ(list.PopBack(), nullptr);
  list.CheckInvariants();
}

TEST(IntrusiveList, RandomOperationsMatchStdList) {
  constexpr uint32_t kSeed = 20260721;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const auto draw = [&random](size_t below) { return random() % below; };
  std::array<Element, 12> elements;
  for (size_t i = 0; i < elements.size(); ++i) elements[i].number = static_cast<int>(i);
  std::array<List, 3> lists;
  std::array<std::list<int>, 3> models;

  for (int step = 0; step < 20000; ++step) {
    Element& element = elements[draw(elements.size())];
    const size_t at = draw(lists.size());
    switch (draw(6)) {
      case 0:
      case 1:
        if (element.InList()) break;
        lists[at].PushFront(element);
        models[at].push_front(element.number);
        break;
      case 2:
        if (element.InList()) break;
        lists[at].PushBack(element);
        models[at].push_back(element.number);
        break;
      case 3:
        if (!element.InList()) break;
        element.Remove();
        for (auto& model : models) model.remove(element.number);
        break;
      case 4: {
        const Element* popped = lists[at].PopFront();
        ASSERT_EQ(popped == nullptr, models[at].empty());
        if (popped == nullptr) break;
        ASSERT_EQ(popped->number, models[at].front());
        models[at].pop_front();
        break;
      }
      default: {
        const Element* popped = lists[at].PopBack();
        ASSERT_EQ(popped == nullptr, models[at].empty());
        if (popped == nullptr) break;
        ASSERT_EQ(popped->number, models[at].back());
        models[at].pop_back();
        break;
      }
    }
    for (size_t i = 0; i < lists.size(); ++i) {
      lists[i].CheckInvariants();
      ASSERT_THAT(Numbers(lists[i]), ElementsAreArray(models[i])) << step;
      std::list<int> backwards = models[i];
      backwards.reverse();
      ASSERT_THAT(NumbersBackwards(lists[i]), ElementsAreArray(backwards)) << step;
      ASSERT_EQ(lists[i].Empty(), models[i].empty());
      if (models[i].empty()) continue;
      ASSERT_EQ(lists[i].Front().number, models[i].front());
      ASSERT_EQ(lists[i].Back().number, models[i].back());
    }
    for (const Element& each : elements) {
      const bool somewhere = std::any_of(models.begin(), models.end(), [&each](const auto& model) {
        return std::find(model.begin(), model.end(), each.number) != model.end();
      });
      ASSERT_EQ(each.InList(), somewhere) << step;
    }
  }
  for (List& list : lists) {
    while (list.PopFront() != nullptr) {
    }
  }
}

TEST(IntrusiveList, AnElementMayLeaveWhileTheListIsWalked) {
  std::array<Element, 5> elements;
  List list;
  for (size_t i = 0; i < elements.size(); ++i) {
    elements[i].number = static_cast<int>(i);
    list.PushBack(elements[i]);
  }
  for (auto it = list.begin(); it != list.end();) {
    Element& element = *it++;
    if (element.number % 2 == 0) element.Remove();
  }
  EXPECT_THAT(Numbers(list), ElementsAre(1, 3));
  elements[1].Remove();
  elements[3].Remove();
  EXPECT_TRUE(list.Empty());
}

struct ByAge;
struct ByName;
struct TwoLists : ListNode<ByAge>, ListNode<ByName> {
  int number = 0;
};

TEST(IntrusiveList, TagsLetAnElementBeInTwoLists) {
  TwoLists one;
  TwoLists two;
  one.number = 1;
  two.number = 2;
  IntrusiveList<TwoLists, ByAge> ages;
  IntrusiveList<TwoLists, ByName> names;
  ages.PushBack(one);
  ages.PushBack(two);
  names.PushFront(one);
  names.PushFront(two);
  EXPECT_THAT(Numbers(ages), ElementsAre(1, 2));
  EXPECT_THAT(Numbers(names), ElementsAre(2, 1));
  one.ListNode<ByAge>::Remove();
  EXPECT_THAT(Numbers(ages), ElementsAre(2));
  EXPECT_THAT(Numbers(names), ElementsAre(2, 1));
  two.ListNode<ByAge>::Remove();
  EXPECT_EQ(names.PopBack(), &one);
  EXPECT_EQ(names.PopBack(), &two);
}

TEST(IntrusiveListDeathTest, AnElementMustNotDieInAList) {
  EXPECT_DEATH(
      {
        List list;
        Element element;
        list.PushBack(element);
      },
      "InList");
}

TEST(IntrusiveListDeathTest, AListMustNotDieWithElements) {
  EXPECT_DEATH(
      {
        Element element;
        List list;
        list.PushBack(element);
      },
      "Empty");
}

}  // namespace
}  // namespace larder::util
