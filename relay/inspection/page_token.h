// Where a page of a listing ends, as text that clients hand back without understanding it.
#ifndef WORMHOLE_RELAY_INSPECTION_PAGE_TOKEN_H_
#define WORMHOLE_RELAY_INSPECTION_PAGE_TOKEN_H_

#include <optional>
#include <string>
#include <string_view>

#include "relay/channel/record.h"

namespace wormhole::relay {

// The token of the page after `last`, whose id is 0 in a listing of apps. Letters, digits, - and _.
std::string WritePageToken(const ChannelKey& last);

// Nothing when WritePageToken could not have made the token. A client that makes one up gains no
// more than another page of the same listing: the result is a valid app-id and an id up to
// kMaxChannelId.
std::optional<ChannelKey> ReadPageToken(std::string_view token);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_INSPECTION_PAGE_TOKEN_H_
