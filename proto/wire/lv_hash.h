#ifndef WORMHOLE_PROTO_WIRE_LV_HASH_H_
#define WORMHOLE_PROTO_WIRE_LV_HASH_H_

#include <sodium.h>

#include <cstdint>
#include <string_view>

namespace wormhole::wire {

// SHA-512 over lv-encoded fields that may be secret: they are hashed where they are, so that no
// encoded copy of them is ever made, and the state is wiped.
class LvHash {
 public:
  LvHash();
  LvHash(const LvHash&) = delete;
  LvHash& operator=(const LvHash&) = delete;
  ~LvHash();

  // The field behind its length.
  void AddField(std::string_view field);
  // Bytes as they are, e.g. what Lv() has encoded already.
  void AddRaw(std::string_view bytes);
  // Writes the 64 bytes of the hash. Once; nothing may be called afterwards.
  void Finish(uint8_t* out);

 private:
  crypto_hash_sha512_state state_;
};

}  // namespace wormhole::wire

#endif  // WORMHOLE_PROTO_WIRE_LV_HASH_H_
