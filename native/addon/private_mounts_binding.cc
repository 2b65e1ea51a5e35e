// startCommand and endAs of src/native/addon.ts.
#include <system_error>
#include <thread>

#include "addon/bridge.h"
#include "fuse/private_mounts.h"

namespace shoal::addon {
namespace {

using Process = std::shared_ptr<fuse::PrivateMounts>;

// As RunJob, on a thread of its own: the pool's threads are waited for when this process exits, and a command may run
// for days.
Napi::Promise RunApart(Napi::Env env, std::function<Status()> work, std::function<Napi::Value(Napi::Env)> finish) {
  const auto deferred = std::make_shared<Napi::Promise::Deferred>(env);
  auto settle = Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}),
                                              "shoal command", 1, 1);
  try {
    std::thread([=]() mutable {
      const Status status = work();
      settle.BlockingCall([=](Napi::Env environment, Napi::Function) {
        if (status.ok())
          deferred->Resolve(finish(environment));
        else
          deferred->Reject(ToError(environment, status).Value());
      });
      settle.Release();
    }).detach();
  } catch (const std::system_error& error) {
    settle.Release();
    deferred->Reject(ToError(env, Status(Code::kIo, std::string("cannot start a thread: ") + error.what())).Value());
  }
  return deferred->Promise();
}

Napi::Value NextDevice(Napi::Env env, const Process& process) {
  auto device = std::make_shared<UniqueFd>();
  return RunApart(
      env, [=] { return process->Next(device.get()); },
      [=](Napi::Env environment) -> Napi::Value {
        if (!device->valid()) return environment.Undefined();
        return Napi::Number::New(environment, device->release());
      });
}

Napi::Value Run(Napi::Env env, const Process& process) {
  return RunApart(
      env, [=] { return process->Run(); }, [](Napi::Env environment) { return environment.Undefined(); });
}

Napi::Value Ended(Napi::Env env, const Process& process) {
  auto end = std::make_shared<fuse::ProcessEnd>();
  return RunApart(
      env, [=] { return process->Wait(end.get()); },
      [=](Napi::Env environment) {
        Napi::Object object = Napi::Object::New(environment);
        object.Set("status", end->status);
        object.Set("signal", end->signal);
        return object;
      });
}

Napi::Value StartCommand(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<fuse::PrivateMount> mounts;
  const auto list = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) {
    const auto mount = list.Get(i).As<Napi::Object>();
    mounts.push_back({ToBytes(mount.Get("source")), ToBytes(mount.Get("directory"))});
  }
  std::vector<int> descriptors;
  const auto numbers = info[2].As<Napi::Array>();
  for (uint32_t i = 0; i < numbers.Length(); i++) descriptors.push_back(numbers.Get(i).As<Napi::Number>());
  std::unique_ptr<fuse::PrivateMounts> started;
  const Status status =
      fuse::PrivateMounts::Start(std::move(mounts), ToBytesList(info[1]), std::move(descriptors), &started);
  if (!status.ok()) throw ToError(env, status);

  const Process process = std::move(started);
  Napi::Object object = Napi::Object::New(env);
  const auto add = [&](const char* name, Napi::Value (*method)(Napi::Env, const Process&)) {
    object.Set(name, Napi::Function::New(
                         env, [=](const Napi::CallbackInfo& called) { return method(called.Env(), process); }));
  };
  add("nextDevice", NextDevice);
  add("run", Run);
  add("ended", Ended);
  object.Set("kill", Napi::Function::New(env, [process](const Napi::CallbackInfo&) { process->Kill(); }));
  return object;
}

void EndAs(const Napi::CallbackInfo& info) {
  const auto object = info[0].As<Napi::Object>();
  fuse::ProcessEnd end;
  end.status = object.Get("status").As<Napi::Number>();
  end.signal = object.Get("signal").As<Napi::Number>();
  fuse::EndAs(end);
}

}  // namespace

void ExportPrivateMounts(Napi::Env env, Napi::Object exports) {
  exports.Set("startCommand", Napi::Function::New(env, StartCommand));
  exports.Set("endAs", Napi::Function::New(env, EndAs));
}

}  // namespace shoal::addon
