// The binary's ports: what each of them answers, and what it does not.
#include <signal.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/attach_client.h"
#include "tests/support/reflection_client.h"
#include "tests/support/relay_process.h"

namespace wormhole::service_test {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::RelayProcess;
using ::testing::StartsWith;

constexpr char kInspection[] = "wormhole.rendezvous.v1.InspectionService";
constexpr char kRendezvous[] = "wormhole.rendezvous.v1.RendezvousService";
constexpr char kHealth[] = "grpc.health.v1.Health";
constexpr char kReflection[] = "grpc.reflection.v1.ServerReflection";
constexpr char kOldReflection[] = "grpc.reflection.v1alpha.ServerReflection";
constexpr char kChannelz[] = "grpc.channelz.v1.Channelz";

// A method of each service that there is.
const std::vector<std::string> kMethods = {
    "/wormhole.rendezvous.v1.RendezvousService/Attach",
    "/wormhole.rendezvous.v1.InspectionService/GetRelay",
    "/wormhole.rendezvous.v1.InspectionService/ListApps",
    "/wormhole.rendezvous.v1.InspectionService/ListChannels",
    "/wormhole.rendezvous.v1.InspectionService/WatchEvents",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/grpc.channelz.v1.Channelz/GetServers",
    "/grpc.channelz.v1.Channelz/GetTopChannels",
};

// The services that answer, whatever they say.
std::vector<std::string> AnswerersAt(const std::string& address) {
  std::vector<std::string> answerers;
  for (const std::string& method : kMethods) {
    const grpc::Status status = CallEmpty(address, method);
    EXPECT_NE(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) continue;
    const std::string service = method.substr(1, method.rfind('/') - 1);
    if (answerers.empty() || answerers.back() != service) answerers.push_back(service);
  }
  return answerers;
}

// A relay with all its ports, and more flags.
class Ports {
 public:
  explicit Ports(std::vector<std::string> flags = {}) : relay_(WithPorts(std::move(flags))) {
    open = relay_.AwaitListening();
    admin = relay_.AwaitLine("admin on ");
    probes = relay_.AwaitLine("probes on ");
  }

  RelayProcess& relay() { return relay_; }

  std::string open;
  std::string admin;
  std::string probes;

 private:
  static std::vector<std::string> WithPorts(std::vector<std::string> flags) {
    for (const char* flag : {"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0",
                             "--probe-listen=127.0.0.1:0", "--store=memory"}) {
      flags.push_back(flag);
    }
    return flags;
  }

  RelayProcess relay_;
};

TEST(PortsTest, ThePublicPortListsNothingOfWhatIsInside) {
  Ports ports;
  EXPECT_THAT(AnswerersAt(ports.open),
              ElementsAre(kRendezvous, kHealth, kReflection, kOldReflection));
  EXPECT_THAT(ReflectionClient(ports.open).ListServices().value(),
              ElementsAre(kHealth, kReflection, kOldReflection, kRendezvous));
}

TEST(PortsTest, ReflectionCanBeTakenOffThePublicPortAlone) {
  Ports ports({"--reflection=false"});
  EXPECT_THAT(AnswerersAt(ports.open), ElementsAre(kRendezvous, kHealth));
  EXPECT_THAT(AnswerersAt(ports.admin),
              ElementsAre(kInspection, kHealth, kReflection, kOldReflection));
}

TEST(PortsTest, TheAdminPortInspects) {
  Ports ports;
  EXPECT_THAT(AnswerersAt(ports.admin),
              ElementsAre(kInspection, kHealth, kReflection, kOldReflection));
  EXPECT_THAT(ReflectionClient(ports.admin).ListServices().value(),
              ElementsAre(kHealth, kReflection, kOldReflection, kInspection));
}

TEST(PortsTest, ChannelzIsOnTheAdminPortWhenItIsAskedFor) {
  Ports ports({"--admin-channelz"});
  EXPECT_THAT(AnswerersAt(ports.open),
              ElementsAre(kRendezvous, kHealth, kReflection, kOldReflection));
  EXPECT_THAT(AnswerersAt(ports.admin),
              ElementsAre(kInspection, kHealth, kReflection, kOldReflection, kChannelz));
  EXPECT_THAT(AnswerersAt(ports.probes), ElementsAre(kHealth));
  ReflectionClient client(ports.admin);
  EXPECT_THAT(client.ListServices().value(),
              ElementsAre(kChannelz, kHealth, kReflection, kOldReflection, kInspection));
  // The public one's, and that of the port for operators.
  EXPECT_THAT(client.Call(kChannelz, "GetServers", "{}").value(),
              ElementsAre(ContainsRegex("callsStarted.*callsStarted")));
}

TEST(PortsTest, TheProbePortHasHealthAndNothingElse) {
  Ports ports;
  EXPECT_THAT(AnswerersAt(ports.probes), ElementsAre(kHealth));
}

TEST(PortsTest, EveryMethodAnswersAClientThatHasOnlyReflection) {
  Ports ports;
  ReflectionClient client(ports.admin);
  AttachClient a(Connect(ports.open));
  a.Send(OpenAllocate('a', 4711));
  ASSERT_TRUE(a.Receive()->has_opened());
  EXPECT_THAT(client.Call(kInspection, "GetRelay", "{}").value(),
              ElementsAre(HasSubstr(R"("activeChannels":1)")));
  EXPECT_THAT(client.Call(kInspection, "ListApps", R"({"pageSize": 10})").value(),
              ElementsAre(R"({"apps":[{"appId":"example.com/test","activeChannels":1}]})"));
  EXPECT_THAT(client.Call(kInspection, "ListChannels", R"({"appId": "example.com/test"})").value(),
              ElementsAre(HasSubstr(R"("channelId":4711,"state":"STATE_WAITING_FOR_RECEIVER")")));
  EXPECT_THAT(client.Call(kInspection, "WatchEvents", R"({"appId": "example.com/test"})").value(),
              ElementsAre(StartsWith(R"({"watchingSince":)")));
}

TEST(PortsTest, ATakenPortIsOneLineThatNamesTheFlag) {
  Ports first;
  RelayProcess admin({"--listen=127.0.0.1:0", "--admin-listen=" + first.admin, "--store=memory"});
  EXPECT_EQ(admin.AwaitExit(), 1);
  EXPECT_EQ(admin.error(), "wormhole-relay: --admin-listen: cannot listen on " + first.admin +
                               ": the port is taken; stop what uses it, or give another port\n");
  RelayProcess probe({"--listen=127.0.0.1:0", "--probe-listen=" + first.probes, "--store=memory"});
  EXPECT_EQ(probe.AwaitExit(), 1);
  EXPECT_THAT(probe.error(), StartsWith("wormhole-relay: --probe-listen: cannot listen on "));
}

// `admin on` and `probes on` come after the line that tells that the relay serves.
TEST(PortsTest, PortsThatAreOffAreNotNamed) {
  RelayProcess relay({"--listen=127.0.0.1:0", "--store=memory"});
  const std::string address = relay.AwaitListening();
  relay.Signal(SIGTERM);
  EXPECT_EQ(relay.AwaitExit(), 0);
  EXPECT_EQ(relay.output(), "listening on " + address + "\n");
}

// Adds the fields of `message`, and of what it holds, to `fields`.
void CollectFields(const google::protobuf::Descriptor* message,
                   std::set<const google::protobuf::FieldDescriptor*>& fields) {
  for (int i = 0; i < message->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* const field = message->field(i);
    if (!fields.insert(field).second || field->message_type() == nullptr) continue;
    CollectFields(field->message_type(), fields);
  }
}

// grpcurl shows a field by the JSON name that the server's descriptor has, and if it has none by
// the name in the .proto file: README.md, and JSON's rules for protobuf, have startedAt.
TEST(PortsTest, ReflectionSaysWhatFieldsAreCalledInJson) {
  Ports ports;
  const std::pair<std::string, const char*> services[] = {
      {ports.admin, kInspection}, {ports.open, kRendezvous}, {ports.open, kHealth}};
  std::set<std::string> renamed;
  for (const auto& [address, name] : services) {
    ReflectionClient client(address);
    const google::protobuf::ServiceDescriptor* const service = client.FindService(name);
    ASSERT_NE(service, nullptr) << name;
    std::set<const google::protobuf::FieldDescriptor*> fields;
    for (int i = 0; i < service->method_count(); ++i) {
      CollectFields(service->method(i)->input_type(), fields);
      CollectFields(service->method(i)->output_type(), fields);
    }
    for (const google::protobuf::FieldDescriptor* field : fields) {
      if (field->json_name() == field->name()) continue;
      renamed.insert(field->json_name());
      EXPECT_TRUE(field->has_json_name()) << field->full_name();
    }
  }
  EXPECT_THAT(renamed,
              ::testing::IsSupersetOf({"startedAt", "channelTtlDefault", "maxFrameBytes"}));
}

}  // namespace
}  // namespace wormhole::service_test
