#include "tests/simulation/sim_network.h"

#include <utility>

namespace wormhole::simulation {

std::shared_ptr<ClientStream> SimNetwork::Open(int party, const rendezvous::v1::AttachRequest& open,
                                               StreamEvents* events) {
  const size_t place = lines_.size();
  auto stream = std::make_shared<SimStream>(stage_, plan_, watcher_, random_.Fork(), party,
                                            place + 1, events);
  lines_.push_back({.stream = stream});
  stream->Start(open, [this, party, place](std::shared_ptr<relay::Sink> sink) {
    SimRelay* const relay = Choose(party);
    lines_[place].relay = relay;
    return relay->Attach(std::move(sink));
  });
  return stream;
}

SimRelay* SimNetwork::Choose(int party) {
  const auto count = static_cast<uint32_t>(relays_.size());
  if (count == 1) return relays_.front();
  uint32_t place = plan_.in_turn ? turns_[party]++ : random_.Below(count);
  const bool looks = random_.Chance(0.9);
  for (uint32_t tried = 0; looks && tried < count && !relays_[place % count]->runs(); ++tried) {
    ++place;
  }
  return relays_[place % count];
}

void SimNetwork::LoseRelay(const SimRelay* relay) {
  const bool tells = random_.Chance(0.7);
  for (const Line& line : lines_) {
    if (line.relay == relay) line.stream->LoseRelay(tells);
  }
}

void SimNetwork::TearDown() {
  for (const Line& line : lines_) line.stream->TearDown();
}

int SimNetwork::Leaks() const {
  int leaks = 0;
  for (const auto& [stream, relay] : lines_) {
    if (!stream->leaks() && stream.use_count() == 1) continue;
    ++leaks;
    stage_->trace->Line("stream ", stream->number(), " is still held");
  }
  return leaks;
}

}  // namespace wormhole::simulation
