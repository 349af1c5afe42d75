// One side of an exchange as proto/PROTOCOL.md has it: what it sends, and whether what it is sent
// is right. A case that wants a side that misbehaves bends it.
#ifndef WORMHOLE_TESTS_CONFORMANCE_SIDE_H_
#define WORMHOLE_TESTS_CONFORMANCE_SIDE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/conformance/crypto.h"
#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::conformance {

using exchange::v1::ExchangeFrame;

class Side;

// Everything may be left out.
struct Bends {
  // The own share and associated data, before anything is derived from them.
  std::function<void(Side&, std::string& share)> share;
  std::function<void(Side&, std::string& ad)> ad;
  // The plaintext of `Sealed` 0, and the box that it became.
  std::function<void(std::string& plaintext)> plaintext;
  std::function<void(Side&, std::string& box)> box;
  // Each own frame before it is sent.
  std::function<void(Side&, uint64_t number, ExchangeFrame& frame)> frame;
  // Its bytes; with none the frame is not sent, nor any after it.
  std::function<void(uint64_t number, std::string& bytes)> bytes;
};

class Side {
 public:
  Side(Role role, std::string app_id, std::string data, Bends bends = {});

  // What the code says. Before, nothing is sent.
  void Learn(uint32_t channel_id, std::string words);
  bool knows_code() const { return !words_.empty(); }

  // Takes the next frame of the other side. What is wrong with it, empty when it is right.
  std::string Take(const std::string& bytes);
  // The own frames that have become due and were not returned before.
  std::vector<std::string> Due();
  // The other's data has been opened and all own frames are made.
  bool finished() const { return peer_data_.has_value() && made_all(); }
  bool made_all() const { return made_ == total(); }

  Role role() const { return role_; }
  const std::string& token() const { return token_; }
  const Keys& keys() const { return keys_; }
  const Handshake& handshake() const { return handshake_; }
  const std::string& scalar() const { return scalar_; }
  uint64_t taken() const { return taken_; }
  const std::optional<std::string>& peer_data() const { return peer_data_; }
  const std::string& own_side() const { return own_side_; }
  std::string peer_side() const;

 private:
  uint64_t total() const { return role_ == Role::kInitiator ? 3 : 2; }
  bool initiator() const { return role_ == Role::kInitiator; }
  void MakeShare();
  void Derive();
  std::string TakePake(const ExchangeFrame& frame);
  std::string CheckAd(const std::string& ad) const;
  std::string TakeSealed(const ExchangeFrame& frame);
  std::optional<ExchangeFrame> Next();
  ExchangeFrame Sealed();

  const Role role_;
  const std::string app_id_, data_;
  const Bends bends_;
  const std::string token_ = RandomBytes(32);
  const std::string own_side_ = SideOf(token_);
  const std::string scalar_ = RandomScalar();
  uint32_t channel_id_ = 0;
  std::string words_;
  Handshake handshake_;
  Keys keys_;
  bool keyed_ = false, confirmed_ = false, stopped_ = false;
  uint64_t taken_ = 0, made_ = 0;
  std::optional<std::string> peer_data_;
};

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_SIDE_H_
