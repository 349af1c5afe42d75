#include "proto/wire/lv_hash.h"

#include "proto/wire/lv.h"

namespace wormhole::wire {

LvHash::LvHash() { crypto_hash_sha512_init(&state_); }

LvHash::~LvHash() { sodium_memzero(&state_, sizeof(state_)); }

void LvHash::AddField(std::string_view field) {
  AddRaw(LvPrefix(field.size()));
  AddRaw(field);
}

void LvHash::AddRaw(std::string_view bytes) {
  crypto_hash_sha512_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()),
                            bytes.size());
}

void LvHash::Finish(uint8_t* out) { crypto_hash_sha512_final(&state_, out); }

}  // namespace wormhole::wire
