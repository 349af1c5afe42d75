#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "client/pake/secret_bytes.h"
#include "client/pake/secret_struct.h"
#include "client/pake/secret_view.h"
#include "client/pake/wiped_array.h"
#include "gtest/gtest.h"

namespace wormhole::pake {
namespace {

SecretBytes Make(std::string_view text) { return SecretBytes::Copy(SecretView(text)).value(); }

std::string_view Text(SecretView secret) { return secret.string(SecretAccess{}); }

// The token cannot be left out by writing {}.
template <typename T>
concept ReadableByBraces = requires(const T& t) {
  t.data({});
};
static_assert(!ReadableByBraces<SecretBytes> && !ReadableByBraces<SecretView>);
static_assert(!ReadableByBraces<WipedArray<4>>);
static_assert(!std::is_copy_constructible_v<SecretBytes> &&
              !std::is_copy_assignable_v<SecretBytes>);
static_assert(!std::is_copy_constructible_v<WipedArray<4>>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);

TEST(SecretBytesTest, StartsAsZeros) {
  const SecretBytes secret = SecretBytes::Create(100).value();
  EXPECT_EQ(secret.size(), 100u);
  EXPECT_EQ(Text(secret), std::string(100, '\0'));
}

// How a child ends that runs `work` and then exits with what that returned.
template <typename Work>
int InChild(Work work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// Several pages, a page, and with a canary on the page before or on the same.
TEST(SecretBytesTest, AChildFindsZeros) {
  for (const size_t size : {1u, 100u, 4080u, 4081u, 4096u, 10'000u}) {
    const std::string text(size, 's');
    const SecretBytes secret = Make(text);
    // What WipeOnFork relies on.
    const auto end = reinterpret_cast<uintptr_t>(secret.data(SecretAccess{})) + size;
    EXPECT_EQ(end % static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)), 0u);
    EXPECT_EQ(InChild([&] { return Text(secret) == std::string(size, '\0') ? 0 : 1; }), 0) << size;
    EXPECT_EQ(InChild([&] { return text == std::string(size, 's') ? 0 : 1; }), 0) << size;
    EXPECT_EQ(Text(secret), text);
  }
}

TEST(SecretBytesTest, AChildMayDestroyThoseOfItsParentAndMakeItsOwn) {
  { const SecretBytes spare = Make("a spare allocation"); }
  SecretBytes secret = Make("secret");
  SecretBytes moved = Make("moved");
  EXPECT_EQ(InChild([&] {
              const SecretBytes taken = std::move(moved);
              secret.Reset();
              for (int i = 0; i < 100; ++i) {
                const SecretBytes own = Make("a spare allocation");
                if (Text(own) != "a spare allocation") return 1;
              }
              const SecretBytes own = Make("own");
              return InChild([&] { return Text(own) == std::string(3, '\0') ? 0 : 1; });
            }),
            0);
  EXPECT_EQ(Text(secret), "secret");
  EXPECT_EQ(Text(moved), "moved");
}

TEST(SecretBytesTest, EmptyOwnsNothing) {
  const SecretBytes secret = SecretBytes::Create(0).value();
  EXPECT_TRUE(secret.empty());
  EXPECT_EQ(secret.data(SecretAccess{}), nullptr);
  EXPECT_TRUE(secret.Equals(SecretBytes()));
  EXPECT_TRUE(secret.Clone().value().empty());
}

TEST(SecretBytesTest, CopiesAndClonesAreSeparate) {
  SecretBytes one = Make("secret");
  SecretBytes two = one.Clone().value();
  EXPECT_TRUE(one.Equals(two));
  two.data(SecretAccess{})[0] = 'S';
  EXPECT_FALSE(one.Equals(two));
  EXPECT_EQ(Text(one), "secret");
}

TEST(SecretBytesTest, MoveKeepsViewsAndEmptiesTheSource) {
  SecretBytes one = Make("secret");
  const SecretView view = one;
  SecretBytes two = std::move(one);
  EXPECT_TRUE(one.empty());  // NOLINT: moved-from is defined
  EXPECT_EQ(Text(view), "secret");
  SecretBytes three = Make("other");
  three = std::move(two);
  EXPECT_EQ(Text(three), "secret");
  SecretBytes& self = three;
  three = std::move(self);
  EXPECT_EQ(Text(three), "secret");
}

TEST(SecretBytesTest, EqualsLooksAtSizeAndEveryByte) {
  const std::string text(70, 'x');
  const SecretBytes secret = Make(text);
  EXPECT_TRUE(secret.Equals(SecretView(text)));
  EXPECT_FALSE(secret.Equals(SecretView(std::string_view(text).substr(1))));
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] ^= 1;
    EXPECT_FALSE(secret.Equals(SecretView(other))) << i;
  }
}

TEST(SecretBytesTest, ResetIsRepeatable) {
  SecretBytes secret = Make("secret");
  secret.Reset();
  secret.Reset();
  EXPECT_TRUE(secret.empty());
}

// An allocation may serve another secret of its size; nothing of the first is left in it.
TEST(SecretBytesTest, IsZerosWhateverWasThereBefore) {
  for (int round = 0; round < 3; ++round) {
    std::vector<SecretBytes> all;
    for (int i = 0; i < 200; ++i) {
      all.push_back(SecretBytes::Create(i % 2 == 0 ? 48 : 49).value());
      ASSERT_EQ(Text(all.back()), std::string(all.back().size(), '\0'));
      std::memset(all.back().data(SecretAccess{}), 's', all.back().size());
    }
  }
}

TEST(SecretBytesTest, TooMuchMemoryIsAnError) {
  for (size_t size : {SIZE_MAX, SIZE_MAX - 4096, SIZE_MAX / 2, size_t{1} << 60}) {
    EXPECT_EQ(SecretBytes::Create(size).status().code(), absl::StatusCode::kResourceExhausted);
  }
  EXPECT_TRUE(SecretBytes::Create(1).ok());
}

TEST(SecretBytesTest, TooManyAreAnErrorAndOthersLive) {
  std::vector<SecretBytes> all;
  for (size_t i = 0; i < SecretBytes::kMaxLive; ++i) {
    absl::StatusOr<SecretBytes> secret = SecretBytes::Create(1);
    ASSERT_TRUE(secret.ok()) << i << ": " << secret.status();
    all.push_back(*std::move(secret));
  }
  EXPECT_EQ(SecretBytes::Create(1).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(all[0].Clone().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(SecretBytes::Create(0).ok());
  all.pop_back();
  EXPECT_TRUE(SecretBytes::Create(1).ok());
  EXPECT_TRUE(all[0].Clone().ok());
}

TEST(SecretBytesDeathTest, WritingPastTheEndIsCaught) {
  EXPECT_DEATH(
      {
        SecretBytes secret = Make("secret");
        volatile uint8_t* data = secret.data(SecretAccess{});
        data[secret.size()] = 1;  // the guard page
      },
      "");
}

TEST(SecretViewTest, CopyFromNeedsEqualSizes) {
  uint8_t bytes[3] = {1, 2, 3};
  SecretSpan span(bytes, sizeof(bytes));
  EXPECT_FALSE(span.CopyFrom(SecretView("ab")));
  EXPECT_EQ(bytes[0], 1);
  EXPECT_TRUE(span.CopyFrom(SecretView("abc")));
  EXPECT_EQ(Text(span), "abc");
  EXPECT_TRUE(SecretSpan(nullptr, 0).CopyFrom(SecretView()));
}

TEST(WipedArrayTest, IsWipedWhenItEnds) {
  alignas(WipedArray<32>) unsigned char storage[sizeof(WipedArray<32>)];
  auto* array = new (storage) WipedArray<32>();
  std::memset(array->data(SecretAccess{}), 's', 32);
  array->~WipedArray<32>();
  volatile unsigned char* raw = storage;
  for (size_t i = 0; i < sizeof(storage); ++i) EXPECT_EQ(raw[i], 0) << i;
}

TEST(WipedArrayTest, MoveWipesTheSource) {
  WipedArray<4> one;
  EXPECT_TRUE(one.span().CopyFrom(SecretView("abcd")));
  WipedArray<4> two = std::move(one);
  EXPECT_EQ(Text(two), "abcd");
  EXPECT_EQ(Text(one), std::string(4, '\0'));  // NOLINT: moved-from is defined
  one = std::move(two);
  EXPECT_EQ(Text(one), "abcd");
  EXPECT_EQ(Text(two), std::string(4, '\0'));  // NOLINT: moved-from is defined
}

struct Secrets {
  uint8_t token[32];
  uint64_t number = 7;
  uint8_t tail[3];
};

TEST(SecretStructTest, HoldsAStruct) {
  SecretStruct<Secrets> one = SecretStruct<Secrets>::Create().value();
  Secrets& s = one.get(SecretAccess{});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(&s) % alignof(Secrets), 0u);
  EXPECT_EQ(s.number, 7u);
  EXPECT_EQ(s.token[31], 0);
  s.token[0] = 1;
  SecretStruct<Secrets> two = one.Clone().value();
  two.get(SecretAccess{}).token[0] = 2;
  EXPECT_EQ(std::as_const(one).get(SecretAccess{}).token[0], 1);
  const SecretStruct<Secrets> three = std::move(one);
  EXPECT_EQ(&three.get(SecretAccess{}), &s);
  EXPECT_TRUE(one.empty());  // NOLINT: moved-from is defined
  two.Reset();
  EXPECT_TRUE(two.empty());
}

}  // namespace
}  // namespace wormhole::pake
