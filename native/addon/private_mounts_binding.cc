// startCommand and endAs of src/native/addon.ts.
#include "addon/bridge.h"
#include "fuse/private_mounts.h"

namespace shoal::addon {
namespace {

// The command's process as JavaScript holds it; killed when the environment goes away before it ended.
class Holder {
 public:
  Holder(Napi::Env env, std::unique_ptr<fuse::PrivateMounts> process) : env_(env), process_(std::move(process)) {
    napi_add_env_cleanup_hook(env_, Abandon, this);
  }
  // On the JavaScript thread.
  ~Holder() { napi_remove_env_cleanup_hook(env_, Abandon, this); }

  fuse::PrivateMounts& process() { return *process_; }

 private:
  static void Abandon(void* data) { static_cast<Holder*>(data)->process_->Kill(); }

  napi_env env_;
  std::unique_ptr<fuse::PrivateMounts> process_;
};

Napi::Value NextDevice(Napi::Env env, const std::shared_ptr<Holder>& holder) {
  auto device = std::make_shared<UniqueFd>();
  return RunJob(
      env, {}, [holder, device] { return holder->process().Next(device.get()); },
      [device](Napi::Env environment) -> Napi::Value {
        if (!device->valid()) return environment.Undefined();
        return Napi::Number::New(environment, device->release());
      });
}

Napi::Value Run(Napi::Env env, const std::shared_ptr<Holder>& holder) {
  return RunJob(
      env, {}, [holder] { return holder->process().Run(); },
      [](Napi::Env environment) { return environment.Undefined(); });
}

Napi::Value Ended(Napi::Env env, const std::shared_ptr<Holder>& holder) {
  auto end = std::make_shared<fuse::ProcessEnd>();
  return RunJob(
      env, {}, [holder, end] { return holder->process().Wait(end.get()); },
      [end](Napi::Env environment) {
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
  std::unique_ptr<fuse::PrivateMounts> process;
  const Status status =
      fuse::PrivateMounts::Start(std::move(mounts), ToBytesList(info[1]), std::move(descriptors), &process);
  if (!status.ok()) throw ToError(env, status);

  const auto holder = std::make_shared<Holder>(env, std::move(process));
  Napi::Object object = Napi::Object::New(env);
  const auto add = [&](const char* name, Napi::Value (*method)(Napi::Env, const std::shared_ptr<Holder>&)) {
    object.Set(
        name, Napi::Function::New(env, [=](const Napi::CallbackInfo& called) { return method(called.Env(), holder); }));
  };
  add("nextDevice", NextDevice);
  add("run", Run);
  add("ended", Ended);
  object.Set("kill", Napi::Function::New(env, [holder](const Napi::CallbackInfo&) { holder->process().Kill(); }));
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
