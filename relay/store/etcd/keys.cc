#include "relay/store/etcd/keys.h"

#include <charconv>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace wormhole::relay {
namespace {

constexpr size_t kNumberDigits = 20;  // so that frames are in order

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

char Letter(Role role) { return role == Role::kInitiator ? 'i' : 'r'; }

std::optional<Role> RoleOf(char letter) {
  if (letter == 'i') return Role::kInitiator;
  if (letter == 'r') return Role::kReceiver;
  return std::nullopt;
}

std::string Escape(std::string_view app_id) {
  return absl::StrReplaceAll(View(app_id), {{"%", "%25"}, {"/", "%2F"}});
}

std::string Unescape(std::string_view part) {
  return absl::StrReplaceAll(View(part), {{"%2F", "/"}, {"%25", "%"}});
}

template <typename T>
bool ReadNumber(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// The last part of a key under st/.
bool ReadState(std::string_view name, EtcdKeys::Place& place) {
  using Kind = EtcdKeys::Place::Kind;
  if (name == "t") {
    place.kind = Kind::kNotice;
    return true;
  }
  const std::optional<Role> role = name.size() == 2 ? RoleOf(name[1]) : std::nullopt;
  if (!role) return false;
  place.role = *role;
  switch (name[0]) {
    case 'l':
      place.kind = Kind::kLog;
      return true;
    case 'c':
      place.kind = Kind::kCursor;
      return true;
    case 'a':
      place.kind = Kind::kArrival;
      return true;
    case 'p':
      place.kind = Kind::kPresence;
      return true;
    default:
      return false;
  }
}

}  // namespace

EtcdKeys::EtcdKeys(std::string_view prefix) : root_(std::string(prefix) + "v1/") {}

std::string EtcdKeys::Of(std::string_view kind, const ChannelKey& key) const {
  return absl::StrCat(root_, View(kind), Escape(key.app_id), "/", key.id);
}

std::string EtcdKeys::Log(const ChannelKey& key, Role author) const {
  return States(key) + 'l' + Letter(author);
}

std::string EtcdKeys::Cursor(const ChannelKey& key, Role author) const {
  return States(key) + 'c' + Letter(author);
}

std::string EtcdKeys::Arrival(const ChannelKey& key, Role role) const {
  return States(key) + 'a' + Letter(role);
}

std::string EtcdKeys::Presence(const ChannelKey& key, Role role) const {
  return States(key) + 'p' + Letter(role);
}

std::string EtcdKeys::Frame(const ChannelKey& key, Role author, uint64_t number) const {
  const std::string digits = absl::StrCat(number);
  return Frames(key) + Letter(author) + "/" + std::string(kNumberDigits - digits.size(), '0') +
         digits;
}

std::string EtcdKeys::Side(std::string_view app_id, std::string_view side) const {
  return absl::StrCat(root_, "by/", Escape(app_id), "/", absl::BytesToHexString(View(side)));
}

std::string EtcdKeys::Clock(std::string_view relay_id) const {
  return absl::StrCat(Clocks(), absl::BytesToHexString(View(relay_id)));
}

std::optional<EtcdKeys::Place> EtcdKeys::Parse(std::string_view key) const {
  if (!key.starts_with(root_)) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(View(key.substr(root_.size())), '/');
  Place place;
  if (parts.size() < 3 || !ReadNumber(parts[2], place.channel.id)) return std::nullopt;
  if (place.channel.id == 0 || place.channel.id > kMaxChannelId) return std::nullopt;
  place.channel.app_id = Unescape(parts[1]);
  // Else two keys would be one place.
  if (parts[2].front() == '0' || Escape(place.channel.app_id) != parts[1]) return std::nullopt;
  if (parts[0] == "ch" && parts.size() == 3) return place;
  if (parts[0] == "st" && parts.size() == 4 && ReadState(parts[3], place)) return place;
  if (parts[0] != "fr" || parts.size() != 5 || parts[3].size() != 1) return std::nullopt;
  const std::optional<Role> role = RoleOf(parts[3][0]);
  if (!role || parts[4].size() != kNumberDigits || !ReadNumber(parts[4], place.number)) {
    return std::nullopt;
  }
  place.kind = Place::Kind::kFrame;
  place.role = *role;
  return place;
}

std::string EndOfPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::string(1, '\0');  // etcd: all keys from the first
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace wormhole::relay
