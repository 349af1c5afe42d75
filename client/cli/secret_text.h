// Text that is a secret.
#ifndef WORMHOLE_CLIENT_CLI_SECRET_TEXT_H_
#define WORMHOLE_CLIENT_CLI_SECRET_TEXT_H_

#include <sodium.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace wormhole::cli {

// Wiped when it goes out of scope. Move-only, so that nobody copies it by accident. For secrets
// that live shorter, and are larger, than those for which the library has guarded memory.
class SecretText {
 public:
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(SecretText&& other) noexcept { text_.swap(other.text_); }
  SecretText& operator=(SecretText&& other) noexcept {
    text_.swap(other.text_);
    return *this;
  }
  ~SecretText() { sodium_memzero(text_.data(), text_.size()); }

  std::string_view view() const { return text_; }
  size_t size() const { return text_.size(); }
  char* data() { return text_.data(); }
  // Leaves out what follows the first `size` bytes, and wipes it.
  void Shorten(size_t size) {
    sodium_memzero(text_.data() + size, text_.size() - size);
    text_.resize(size);
  }

 private:
  std::string text_;
};

}  // namespace wormhole::cli

#endif  // WORMHOLE_CLIENT_CLI_SECRET_TEXT_H_
