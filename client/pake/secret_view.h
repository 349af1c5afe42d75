#ifndef WORMHOLE_CLIENT_PAKE_SECRET_VIEW_H_
#define WORMHOLE_CLIENT_PAKE_SECRET_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wormhole::pake {

// Reading or writing the content of a secret takes `SecretAccess{}`, spelled out, so that every
// such place is found by searching for this name (after tink-cc's InsecureSecretKeyAccess). Passing
// a secret on needs no token. The explicit constructor keeps `{}` from standing in for it.
struct SecretAccess {
  explicit SecretAccess() = default;
};

// A secret that somebody else owns and that must outlive the view; for parameters. Cheap to copy.
class SecretView {
 public:
  SecretView() = default;
  // Of memory that its owner wipes (a field of a SecretStruct, an application's buffer).
  SecretView(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  explicit SecretView(std::string_view bytes)
      : data_(reinterpret_cast<const uint8_t*>(bytes.data())), size_(bytes.size()) {}

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const uint8_t* data(SecretAccess) const { return data_; }
  std::string_view string(SecretAccess) const {
    return std::string_view(reinterpret_cast<const char*>(data_), size_);
  }

  // Compares in constant time for equal sizes; the sizes themselves are not secret.
  bool Equals(SecretView other) const;

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// The same for a secret that is to be written.
class SecretSpan {
 public:
  SecretSpan(uint8_t* data, size_t size) : data_(data), size_(size) {}

  size_t size() const { return size_; }
  uint8_t* data(SecretAccess) const { return data_; }

  // Copies `source` here. False, with nothing written, unless the sizes are equal.
  [[nodiscard]] bool CopyFrom(SecretView source) const;

  operator SecretView() const { return SecretView(data_, size_); }  // NOLINT: meant to be implicit

 private:
  uint8_t* data_;
  size_t size_;
};

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_SECRET_VIEW_H_
