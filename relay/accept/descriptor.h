// A file descriptor that is closed with its owner.
#ifndef WORMHOLE_RELAY_ACCEPT_DESCRIPTOR_H_
#define WORMHOLE_RELAY_ACCEPT_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace wormhole::relay {

class Descriptor {
 public:
  Descriptor() = default;
  // None if `number` is negative, as system calls answer when they fail.
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : number_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Close();
    number_ = other.Release();
    return *this;
  }

  bool valid() const { return number_ >= 0; }
  int number() const { return number_; }

  // Gives it to the caller, who closes it.
  int Release() { return std::exchange(number_, -1); }
  void Close() {
    if (valid()) close(Release());
  }

 private:
  int number_ = -1;
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_ACCEPT_DESCRIPTOR_H_
