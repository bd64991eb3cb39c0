// A doubly linked list whose links live in the elements: no allocation, and an element leaves its
// list in constant time without a search.
//
//   list:     +------+------+
//        +--->| prev | next |---+         a ring, closed by the list's own node
//        |    +------+------+   |
//        |       ^              v
//   +------+------+          +------+------+
//   | prev | next |<-------->| prev | next |    elements: 16 bytes each
//   +------+------+          +------+------+
//
// An element derives from ListNode<Tag>; one tag for each list that it can be in at the same time.
// The list owns nothing: an element leaves its list before it dies (checked), and the list is empty
// when it dies (checked), for an element left behind would point into freed memory.
//
// Invariants
//   - next and prev of neighbours point at each other, all around the ring.
//   - A node outside of any list has null links.
//
// One thread. Every call but CheckInvariants is a few instructions. There is no count of elements:
// Remove needs no list, and so has none to count in.
#ifndef LARDER_UTIL_INTRUSIVE_LIST_H_
#define LARDER_UTIL_INTRUSIVE_LIST_H_

#include <cstddef>
#include <iterator>

#include "util/check.h"

namespace larder::util {

template <typename T, typename Tag>
class IntrusiveList;

template <typename Tag = void>
class ListNode {
 public:
  ListNode() = default;
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode() { CHECK(!InList()); }

  [[nodiscard]] bool InList() const { return next_ != nullptr; }

  // Takes the element out of the list that it is in.
  void Remove() {
    DCHECK(InList());
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
  }

 private:
  template <typename T, typename OfList>
  friend class IntrusiveList;

  ListNode* prev_ = nullptr;
  ListNode* next_ = nullptr;
};

static_assert(sizeof(ListNode<>) == 2 * sizeof(void*));

template <typename T, typename Tag = void>
class IntrusiveList {
  using Node = ListNode<Tag>;

 public:
  // From front to back. Stays valid while its element is in the list, whatever others do; so step
  // forward before removing the element.
  class Iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = T;
    using difference_type = ptrdiff_t;
    using pointer = T*;
    using reference = T&;

    Iterator() = default;
    T& operator*() const { return *static_cast<T*>(node_); }
    T* operator->() const { return static_cast<T*>(node_); }
    Iterator& operator++() {
      node_ = node_->next_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator old = *this;
      ++*this;
      return old;
    }
    Iterator& operator--() {
      node_ = node_->prev_;
      return *this;
    }
    Iterator operator--(int) {
      const Iterator old = *this;
      --*this;
      return old;
    }
    bool operator==(const Iterator&) const = default;

   private:
    friend class IntrusiveList;
    explicit Iterator(Node* node) : node_(node) {}
    Node* node_ = nullptr;
  };

  IntrusiveList() { ring_.prev_ = ring_.next_ = &ring_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    CHECK(Empty());
    ring_.prev_ = ring_.next_ = nullptr;
  }

  [[nodiscard]] bool Empty() const { return ring_.next_ == &ring_; }

  // Of a list that is not empty.
  [[nodiscard]] T& Front() { return Element(ring_.next_); }
  [[nodiscard]] T& Back() { return Element(ring_.prev_); }

  // The element must be in no list of this tag.
  void PushFront(T& element) { InsertBetween(element, &ring_, ring_.next_); }
  void PushBack(T& element) { InsertBetween(element, ring_.prev_, &ring_); }

  // The first or last element, taken out; null if there is none.
  T* PopFront() { return Empty() ? nullptr : Pop(Front()); }
  T* PopBack() { return Empty() ? nullptr : Pop(Back()); }

  [[nodiscard]] Iterator begin() { return Iterator(ring_.next_); }
  [[nodiscard]] Iterator end() { return Iterator(&ring_); }

  // Dies by CHECK if a link is wrong. Walks the whole list: for tests.
  void CheckInvariants() const {
    const Node* node = &ring_;
    do {
      CHECK(node->next_ != nullptr);
      CHECK(node->next_->prev_ == node);
      node = node->next_;
    } while (node != &ring_);
  }

 private:
  T& Element(Node* node) {
    DCHECK(!Empty());
    return *static_cast<T*>(node);
  }
  T* Pop(T& element) {
    static_cast<Node&>(element).Remove();
    return &element;
  }
  void InsertBetween(T& element, Node* prev, Node* next) {
    Node& node = element;
    DCHECK(!node.InList());
    node.prev_ = prev;
    node.next_ = next;
    prev->next_ = &node;
    next->prev_ = &node;
  }

  Node ring_;
};

}  // namespace larder::util

#endif  // LARDER_UTIL_INTRUSIVE_LIST_H_
