// Signals that come at moments which a test of the whole tool cannot hit: the session against a
// relay in the same process.
#include "client/cli/session.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "client/cli/arguments.h"
#include "client/cli/console.h"
#include "client/cli/events.h"
#include "client/cli/interrupt.h"
#include "client/cli/state_file.h"
#include "client/client_access.h"
#include "client/stream/transport.h"
#include "gtest/gtest.h"
#include "tests/client/in_process_relay.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {
namespace {

using cli::FileDescriptor;

// A pipe in the place of standard output.
class Output {
 public:
  Output() : before_(dup(STDOUT_FILENO)) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_ = FileDescriptor(ends[0]);
    const FileDescriptor write(ends[1]);
    dup2(write.get(), STDOUT_FILENO);
  }
  ~Output() { Restore(); }

  // Waits for something.
  std::string Next() const {
    char text[64];
    const ssize_t count = read(read_.get(), text, sizeof(text));
    return std::string(text, count > 0 ? static_cast<size_t>(count) : 0);
  }
  // All of it; nothing more comes after that.
  std::string Rest() {
    Restore();
    std::string all;
    for (std::string next = Next(); !next.empty(); next = Next()) all += next;
    return all;
  }

 private:
  void Restore() const { dup2(before_.get(), STDOUT_FILENO); }

  const FileDescriptor before_;
  FileDescriptor read_;
};

// A network that loses each goodbye.
class MuteTransport : public Transport {
 public:
  explicit MuteTransport(Transport& below) : below_(below) {}
  std::shared_ptr<Stream> Open(const StreamTarget& target,
                               std::shared_ptr<StreamListener> listener) override {
    return std::make_shared<MuteStream>(below_.Open(target, std::move(listener)));
  }

 private:
  class MuteStream : public Stream {
   public:
    explicit MuteStream(std::shared_ptr<Stream> below) : below_(std::move(below)) {}
    void Send(rendezvous::v1::AttachRequest request) override {
      if (!request.has_close()) below_->Send(std::move(request));
    }
    void ReadMore() override { below_->ReadMore(); }
    void Abandon() override { below_->Abandon(); }

   private:
    const std::shared_ptr<Stream> below_;
  };

  Transport& below_;
};

// What the tool has around a session.
struct Tool {
  cli::ExitCode Run(Party& party) {
    return cli::Session(arguments, console, interrupt, *cli::Events::Create(), state, std::nullopt)
        .Run(party);
  }

  // First: the threads of the relay inherit that its signals are blocked.
  cli::Interrupt interrupt = *cli::Interrupt::Install();
  cli::Arguments arguments;
  cli::Console console{STDERR_FILENO, cli::Charset::kUtf8, interrupt};
  std::shared_ptr<cli::StateFile> state;
  InProcessRelay relay;
};

TEST(SessionTest, CtrlCShowsDataThatWasThereAlready) {
  Tool tool;
  const Options options = InProcessRelay::OptionsFor(tool.relay.MakeClient());
  auto initiator = Initiator::Create(options, "a").value();
  auto receiver = Receiver::Create(options, initiator.GetCode().value(), "b").value();
  ASSERT_EQ(receiver.GetData().value(), "a");
  Output output;
  ASSERT_EQ(kill(getpid(), SIGINT), 0);
  EXPECT_EQ(tool.Run(receiver), cli::kDone);
  EXPECT_EQ(output.Rest(), "a");
}

TEST(SessionTest, CtrlCGivesUpWhatIsNotFinished) {
  Tool tool;
  const Options options = InProcessRelay::OptionsFor(tool.relay.MakeClient());
  auto initiator = Initiator::Create(options, "a").value();
  ASSERT_TRUE(initiator.GetCode().ok());
  Output output;
  ASSERT_EQ(kill(getpid(), SIGINT), 0);
  EXPECT_EQ(tool.Run(initiator), cli::kGaveUp);
  EXPECT_EQ(output.Rest(), "");
}

// An exchange whose goodbye is never answered. Ctrl-C comes when its data is out.
[[noreturn]] void FinishAndInterrupt(const std::string& path) {
  Tool tool;
  tool.state = cli::StateFile::ForNew(path).value();
  const auto mute = std::make_shared<MuteTransport>(tool.relay.transport());
  Options options = InProcessRelay::OptionsFor(ClientAccess::WithTransport(mute).value());
  auto initiator = Initiator::Create(options, "a").value();
  options.on_save = [state = tool.state](std::string_view text) { return state->Save(text); };
  auto receiver = Receiver::Create(options, initiator.GetCode().value(), "b").value();
  const Output output;
  std::thread([&output] {
    output.Next();
    kill(getpid(), SIGINT);
  }).detach();  // the process ends here
  tool.Run(receiver);
  _exit(EXIT_FAILURE);  // it has waited for the goodbye
}

// The child is this program, started anew.
TEST(SessionDeathTest, CtrlCDuringTheGoodbyeLeavesNoState) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string folder = ::testing::TempDir() + "/goodbye";  // the same in the child
  std::filesystem::create_directory(folder);
  EXPECT_EXIT(FinishAndInterrupt(folder + "/state"), ::testing::ExitedWithCode(cli::kDone), "");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace wormhole::testing
