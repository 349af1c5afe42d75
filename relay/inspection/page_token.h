// Where a page of a listing ends, in a form that clients hand back and need not understand.
#ifndef WORMHOLE_RELAY_INSPECTION_PAGE_TOKEN_H_
#define WORMHOLE_RELAY_INSPECTION_PAGE_TOKEN_H_

#include <optional>
#include <string>
#include <string_view>

#include "relay/channel/record.h"

namespace wormhole::relay {

// For the page behind `last`, whose id is 0 in a listing of apps. Letters, digits, - and _.
std::string WritePageToken(const ChannelKey& last);

// Nothing when WritePageToken has not made it. A client can make one as well, and gains no more
// than another page of the same listing: what is read is a valid app-id and an id up to
// kMaxChannelId.
std::optional<ChannelKey> ReadPageToken(std::string_view token);

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_INSPECTION_PAGE_TOKEN_H_
