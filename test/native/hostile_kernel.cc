// Plays a kernel that breaks the protocol, `hostile_kernel INDEX SEED`: requests that are cut off, requests of random
// bytes, handshakes that go wrong. Every request must be answered once, or not at all where that is the protocol, and
// the session must live until its line is closed. Prints what was done, or `FAILED: ...` with status 1.
#include <atomic>
#include <csignal>
#include <iostream>
#include <memory>
#include <random>
#include <thread>

#include "core/tree.h"
#include "fuse/session.h"
#include "kernel_side.h"

using namespace kernel_side;

namespace {

constexpr int kRandomRequests = 2000;

std::unique_ptr<shoal::Tree> OpenTree(const char* path) {
  std::unique_ptr<shoal::Tree> tree;
  const shoal::Status status = shoal::Tree::Open({path}, "", shoal::ReadOptions(), &tree);
  if (!status.ok()) Fail(status.message());
  return tree;
}

class Server {
 public:
  explicit Server(shoal::Tree& tree) : operations_(tree, {}, {}, [](const std::string&) {}) {}

  shoal::Status Start(shoal::UniqueFd device) {
    return shoal::fuse::Session::Start(
        std::move(device), operations_, {}, [this] { ended_++; }, &session_);
  }

  // After the line was closed.
  void End() {
    session_.reset();  // waits for the threads
    ExpectEqual(1, static_cast<uint64_t>(ended_.load()), "ends of the session");
  }

 private:
  shoal::fuse::Operations operations_;
  std::atomic<int> ended_{0};
  std::unique_ptr<shoal::fuse::Session> session_;
};

void ExpectRefused(KernelSide& line, uint32_t opcode, uint64_t node, const std::string& body) {
  ExpectEqual(EINVAL, static_cast<uint64_t>(line.Ask(opcode, node, body).error),
              "operation " + std::to_string(opcode) + " with " + std::to_string(body.size()) + " bytes");
}

void CutOff(KernelSide& line) {
  const auto file = line.Ask(FUSE_LOOKUP, FUSE_ROOT_ID, Name("file")).As<fuse_entry_out>("LOOKUP").nodeid;
  const struct {
    uint32_t opcode;
    uint64_t node;
    size_t length;  // without names
  } fixed[] = {{FUSE_READ, file, sizeof(fuse_read_in)},
               {FUSE_READDIR, FUSE_ROOT_ID, sizeof(fuse_read_in)},
               {FUSE_READDIRPLUS, FUSE_ROOT_ID, sizeof(fuse_read_in)},
               {FUSE_LISTXATTR, file, sizeof(fuse_getxattr_in)},
               {FUSE_LSEEK, file, 24},
               {FUSE_GETXATTR, file, sizeof(fuse_getxattr_in)}};
  for (const auto& request : fixed) {
    for (size_t length = 0; length < request.length; length++) {
      ExpectRefused(line, request.opcode, request.node, std::string(length, '\0'));
    }
  }
  // Names without their end.
  for (const char* name : {"", "f", "file"}) {
    ExpectRefused(line, FUSE_LOOKUP, FUSE_ROOT_ID, name);
    ExpectRefused(line, FUSE_GETXATTR, file, Bytes(fuse_getxattr_in{64, 0}) + name);
  }
  std::cout << "cut off: refused\n";
}

void SendRandom(KernelSide& line, uint32_t seed) {
  std::mt19937 random(seed);
  int answered = 0;
  for (int i = 0; i < kRandomRequests; i++) {
    const uint32_t opcode = random() % 8 == 0 ? random() : random() % 60;
    const uint64_t node = random() % 8 == 0 ? random() : random() % 220;
    std::string body(random() % 128, '\0');
    // Small numbers get further than large ones.
    const uint32_t mask = random() % 2 == 0 ? 0xFF : 0x03;
    for (char& byte : body) byte = static_cast<char>(random() & mask);
    if (opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET || opcode == FUSE_INTERRUPT) {
      line.Send(opcode, node, body);
    } else {
      line.Ask(opcode, node, body);  // checks the form of the reply
      answered++;
    }
  }
  line.Ask(FUSE_STATFS, FUSE_ROOT_ID, "").As<fuse_statfs_out>("STATFS");
  std::cout << "random: " << answered << " answered\n";
}

// What the server says of a first packet, after which nothing comes.
std::string StartWith(shoal::Tree& tree, const std::string* packet) {
  shoal::UniqueFd device;
  KernelSide line(&device);
  if (packet != nullptr) line.SendBytes(*packet);
  line.Close();
  Server server(tree);
  const shoal::Status status = server.Start(std::move(device));
  Expect(!status.ok(), "expected no session");
  return status.message();
}

std::string Request(uint32_t opcode, const std::string& body) {
  fuse_in_header header{};
  header.opcode = opcode;
  header.unique = 1;
  header.len = static_cast<uint32_t>(sizeof header + body.size());
  return Bytes(header) + body;
}

void Handshakes(shoal::Tree& tree) {
  const auto expect = [](const std::string& message, const char* part) {
    Expect(message.find(part) != std::string::npos,
           "expected \"" + std::string(part) + "\", found \"" + message + "\"");
  };
  expect(StartWith(tree, nullptr), "expected INIT as the kernel's first request, found 0 bytes");
  const std::string init = Request(FUSE_INIT, InitBody(7, 45, 0, 0));
  for (size_t length : {size_t{1}, sizeof(fuse_in_header) - 1}) {
    const std::string packet = init.substr(0, length);
    expect(StartWith(tree, &packet), "expected INIT as the kernel's first request, found ");
  }
  const std::string lookup = Request(FUSE_LOOKUP, Name("file"));
  expect(StartWith(tree, &lookup), "expected INIT as the kernel's first request, found operation 1");
  std::cout << "handshakes: refused\n";
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  signal(SIGPIPE, SIG_IGN);  // replies into a closed line
  const std::unique_ptr<shoal::Tree> tree = OpenTree(arguments[1]);
  shoal::UniqueFd device;
  KernelSide line(&device);
  Server server(*tree);
  std::thread hands([&] { line.Ask(FUSE_INIT, 0, InitBody(7, 45, 0, 0xFFFFFFFF)); });
  const shoal::Status status = server.Start(std::move(device));
  hands.join();
  if (!status.ok()) Fail(status.message());
  CutOff(line);
  SendRandom(line, static_cast<uint32_t>(std::strtoul(arguments[2], nullptr, 10)));
  line.Close();
  server.End();
  Handshakes(*tree);
  std::cout << "ended\n";
  return 0;
}
