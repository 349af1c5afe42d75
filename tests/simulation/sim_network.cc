#include "tests/simulation/sim_network.h"

#include <utility>

namespace wormhole::simulation {

std::shared_ptr<ClientStream> SimNetwork::Open(int party, const rendezvous::v1::AttachRequest& open,
                                               StreamEvents* events) {
  const uint64_t number = streams_.size() + 1;
  auto stream =
      std::make_shared<SimStream>(stage_, plan_, watcher_, random_.Fork(), party, number, events);
  streams_.push_back(stream);
  stream->Start(
      open, [this](std::shared_ptr<relay::Sink> sink) { return relay_->Attach(std::move(sink)); });
  return stream;
}

void SimNetwork::LoseRelay() {
  const bool tells = random_.Chance(0.7);
  for (const auto& stream : streams_) stream->LoseRelay(tells);
}

void SimNetwork::TearDown() {
  for (const auto& stream : streams_) stream->TearDown();
}

int SimNetwork::Leaks() const {
  int leaks = 0;
  for (const auto& stream : streams_) {
    if (!stream->leaks() && stream.use_count() == 1) continue;
    ++leaks;
    stage_->trace->Line("stream ", stream->number(), " is still held");
  }
  return leaks;
}

}  // namespace wormhole::simulation
