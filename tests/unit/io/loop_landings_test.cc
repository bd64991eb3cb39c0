// Goal: every loop receives where the owner wants it (Landing), loses nothing on the way there and
// back, and lets go of it at the end. Method: one suite, run on each loop, over Unix pairs.
#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "loop_fixture.h"

namespace larder::io {
namespace {

class LoopLandings : public LoopTest {};
INSTANTIATE_TEST_SUITE_P(Loops, LoopLandings, AllLoops(), NameOf);

// A stream whose owner names where the next `wanted` bytes shall go.
class LandingStream final : public Stream {
 public:
  void OnReceive(std::string_view bytes) override {
    // What comes lent although a landing is named is of before it was named, and fills it as well.
    const size_t missing = std::min(bytes.size(), wanted - taken);
    landing.replace(taken, missing, bytes.substr(0, missing));
    taken += missing;
    lent.append(bytes.substr(missing));
    ++receives;
    if (on_receive) on_receive();
  }
  Landing NextLanding() override {
    ++asked;
    if (taken == wanted) return {.once = once};
    Landing next;
    const auto add = [&](size_t begin, size_t end) {
      if (begin < end) next.parts[next.parts_count++] = {landing.data() + begin, end - begin};
    };
    const size_t cut = std::min(std::max(taken, first_part), wanted);
    add(taken, cut);
    add(cut, wanted);
    return next;
  }
  void OnLanded(size_t bytes) override {
    EXPECT_GT(bytes, 0U);
    landed += bytes;
    taken += bytes;
    ASSERT_LE(taken, wanted);
  }
  void OnReceiveEnd(int error) override { ends.push_back(error); }
  void OnSent(int) override {}
  void OnClosed() override { ++closed; }
  void Want(size_t bytes, size_t bytes_of_first_part) {
    landing.assign(bytes, '?');
    wanted = bytes;
    first_part = bytes_of_first_part;
    taken = 0;
  }

  std::string landing;
  size_t wanted = 0;
  size_t first_part = 0;
  size_t taken = 0;
  size_t landed = 0;
  std::string lent;
  int receives = 0;
  int asked = 0;
  int closed = 0;
  bool once = false;
  std::vector<int> ends;
  std::function<void()> on_receive;
};

TEST_P(LoopLandings, BytesLandWhereTheOwnerWants) {
  LandingStream stream;
  const Pair pair = MakePair();
  const std::string all = Pattern(60'000);
  stream.Want(50'000, 49'998);
  loop_->Attach(stream, pair.loop_end);
  size_t written = 0;
  ASSERT_TRUE(Run([&] {
    const ssize_t n =
        write(pair.test_end, all.data() + written, std::min<size_t>(all.size() - written, 7000));
    if (n > 0) written += static_cast<size_t>(n);
    return stream.lent.size() == 10'000;
  }));
  EXPECT_EQ(stream.landed, 50'000U);
  EXPECT_TRUE(stream.landing + stream.lent == all);
  close(pair.test_end);
  ASSERT_TRUE(Run([&] { return stream.ends.size() == 1; }));
  loop_->Close(stream);
  EXPECT_TRUE(Run([&] { return stream.closed == 1; }));
}

// The landing is named while a receive into lent memory is under way.
TEST_P(LoopLandings, ALandingNamedLaterLosesNothing) {
  for (const bool paused : {false, true}) {
    LandingStream stream;
    const Pair pair = MakePair();
    loop_->Attach(stream, pair.loop_end);
    Write(pair.test_end, "begin");
    ASSERT_TRUE(Run([&] { return stream.lent == "begin"; }));
    stream.Want(40'000, 40'000);
    loop_->LandingChanged(stream);
    if (paused) {
      loop_->PauseReceive(stream);
      Settle();
      loop_->ResumeReceive(stream);
    }
    const std::string all = Pattern(45'000);
    Write(pair.test_end, all);
    ASSERT_TRUE(Run([&] { return stream.lent.size() == 5005; }));
    EXPECT_GT(stream.landed, 30'000U);
    EXPECT_TRUE("begin" + stream.landing + stream.lent.substr(5) == "begin" + all);
    loop_->Close(stream);
    EXPECT_TRUE(Run([&] { return stream.closed == 1; }));
    close(pair.test_end);
  }
}

TEST_P(LoopLandings, OneReceiveIsOne) {
  LandingStream stream;
  stream.once = true;
  const Pair pair = MakePair();
  loop_->Attach(stream, pair.loop_end);
  const std::string all = Pattern(20'000);
  // In the middle of it the rest is wanted elsewhere: no more of it comes lent.
  stream.on_receive = [&] {
    if (stream.receives == 1) stream.Want(all.size() - stream.lent.size(), 0);
  };
  Write(pair.test_end, all);
  ASSERT_TRUE(Run([&] { return stream.wanted > 0 && stream.taken == stream.wanted; }));
  EXPECT_EQ(stream.receives, 1);
  EXPECT_LE(stream.lent.size(), kBufferBytes);
  EXPECT_TRUE(stream.lent + stream.landing == all);
  // And it goes on.
  Write(pair.test_end, "more");
  ASSERT_TRUE(Run([&] { return stream.lent.ends_with("more"); }));
  loop_->Close(stream);
  EXPECT_TRUE(Run([&] { return stream.closed == 1; }));
  close(pair.test_end);
}

TEST_P(LoopLandings, ALandingMayBeCutShort) {
  for (const bool by_peer : {false, true}) {
    LandingStream stream;
    const Pair pair = MakePair();
    stream.Want(10'000, 4000);
    loop_->Attach(stream, pair.loop_end);
    Write(pair.test_end, Pattern(6000));
    ASSERT_TRUE(Run([&] { return stream.landed == 6000; }));
    EXPECT_TRUE(stream.landing.starts_with(Pattern(6000)));
    if (by_peer) {
      close(pair.test_end);
      ASSERT_TRUE(Run([&] { return stream.ends.size() == 1; }));
      EXPECT_EQ(stream.ends[0], 0);
    }
    loop_->Close(stream);
    EXPECT_TRUE(Run([&] { return stream.closed == 1; }));
    if (!by_peer) close(pair.test_end);
    EXPECT_TRUE(stream.landing.ends_with(std::string(4000, '?')));
  }
}

}  // namespace
}  // namespace larder::io
