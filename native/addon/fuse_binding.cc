// mount and unmount of src/native/addon.ts.
#include <unistd.h>

#include <mutex>
#include <optional>

#include "addon/bridge.h"
#include "addon/statistics_value.h"
#include "core/show_bytes.h"
#include "fuse/mount.h"
#include "fuse/served_mount.h"

namespace shoal::addon {
namespace {

// One line on standard error, in one piece, whatever the names in it are.
void LogLine(const std::string& text) {
  const std::string line = "shoal: " + ShowBytes(text) + "\n";
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // nobody listens
}

// A mount as JavaScript holds it. It owns itself from the moment it serves until it has ended, whoever else still
// refers to it.
class Holder {
 public:
  using WhenBusy = fuse::ServedMount::WhenBusy;

  explicit Holder(Napi::Env env)
      : ended_signal_(Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}),
                                                    "shoal mount", 1, 1)) {}

  ~Holder() {
    if (ended_) {
      served_.reset();  // waits for the thread that signals, which still uses this
    } else {
      // The environment goes away while the mount lives: threads may be in the middle of a read, and the process is
      // about to end.
      served_.release();
    }
  }

  // From a thread of the pool.
  Status Start(const std::vector<std::string>& indexes, fuse::Attachment attachment, fuse::ServeOptions options,
               const std::shared_ptr<Holder>& self) {
    self_ = self;
    Status status = fuse::ServedMount::Start(
        indexes, std::move(attachment), std::move(options), [this] { Signal(); }, &served_);
    if (!status.ok()) {
      self_.reset();
      ended_signal_.Release();
    }
    return status;
  }

  // Resolves when the mount has ended. From now on the mount also ends with the environment (process.exit() ends it),
  // so that no mount point is left that nobody serves. Called once.
  Napi::Promise Ended(Napi::Env env) {
    deferred_.emplace(Napi::Promise::Deferred::New(env));
    const Napi::Promise promise = deferred_->Promise();
    if (ended_) {
      deferred_->Resolve(env.Undefined());
    } else {
      napi_add_env_cleanup_hook(env, Abandon, this);
    }
    return promise;
  }

  Status Unmount(WhenBusy when_busy) { return ended_ ? Status() : served_->Unmount(when_busy); }
  uint64_t requests() const { return served_ == nullptr ? 0 : served_->requests(); }
  fuse::Statistics statistics() const { return served_->GetStatistics(); }

 private:
  // From a server thread.
  void Signal() {
    std::lock_guard<std::mutex> lock(signal_mutex_);
    if (abandoned_) return;
    ended_signal_.BlockingCall([this](Napi::Env env, Napi::Function) {
      ended_ = true;
      if (deferred_) {
        napi_remove_env_cleanup_hook(env, Abandon, this);
        deferred_->Resolve(env.Undefined());
      }
      ended_signal_.Release();
      const std::shared_ptr<Holder> last = std::move(self_);
    });
  }

  static void Abandon(void* data) {
    auto* holder = static_cast<Holder*>(data);
    {
      std::lock_guard<std::mutex> lock(holder->signal_mutex_);
      holder->abandoned_ = true;
    }
    const Status ignored = holder->served_->Unmount(WhenBusy::kLazily);  // there is nobody left to tell
    (void)ignored;
  }

  std::optional<Napi::Promise::Deferred> deferred_;
  Napi::ThreadSafeFunction ended_signal_;
  std::unique_ptr<fuse::ServedMount> served_;
  std::shared_ptr<Holder> self_;
  bool ended_ = false;  // on the JavaScript thread

  std::mutex signal_mutex_;
  bool abandoned_ = false;
};

std::optional<uint32_t> ToOptionalNumber(const Napi::Value& value) {
  if (value.IsUndefined()) return std::nullopt;
  return value.As<Napi::Number>().Uint32Value();
}

// What is undefined stays as it is.
void Take(const Napi::Value& value, bool* out) {
  if (!value.IsUndefined()) *out = value.ToBoolean();
}
void Take(const Napi::Value& value, uint32_t* out) {
  if (!value.IsUndefined()) *out = value.As<Napi::Number>().Uint32Value();
}
void Take(const Napi::Value& value, uint64_t* out) {
  if (!value.IsUndefined()) *out = static_cast<uint64_t>(value.As<Napi::Number>().Int64Value());
}
void Take(const Napi::Value& value, double* out) {
  if (!value.IsUndefined()) *out = value.As<Napi::Number>().DoubleValue();
}

fuse::Tuning ToTuning(const Napi::Object& object) {
  fuse::Tuning tuning;
  Take(object.Get("skipOpen"), &tuning.skip_open);
  Take(object.Get("skipOpendir"), &tuning.skip_opendir);
  Take(object.Get("readdirplus"), &tuning.readdirplus);
  Take(object.Get("cacheSymlinks"), &tuning.cache_symlinks);
  Take(object.Get("parallelDirops"), &tuning.parallel_dirops);
  Take(object.Get("cloneFd"), &tuning.clone_descriptor);
  Take(object.Get("splice"), &tuning.splice);
  Take(object.Get("uring"), &tuning.uring);
  Take(object.Get("polling"), &tuning.polling);
  Take(object.Get("maxRead"), &tuning.max_read);
  Take(object.Get("readahead"), &tuning.readahead);
  Take(object.Get("checkPermissions"), &tuning.check_permissions);
  Take(object.Get("threads"), &tuning.threads);
  Take(object.Get("entryTimeout"), &tuning.lifetimes.entry);
  Take(object.Get("attrTimeout"), &tuning.lifetimes.attributes);
  Take(object.Get("negativeTimeout"), &tuning.lifetimes.negative);
  return tuning;
}

fuse::ServeOptions ToServeOptions(const Napi::Object& object) {
  fuse::ServeOptions options;
  options.tuning = ToTuning(object);
  options.presentation.uid = ToOptionalNumber(object.Get("uid"));
  options.presentation.gid = ToOptionalNumber(object.Get("gid"));
  const uint32_t umask = ToOptionalNumber(object.Get("umask")).value_or(0);
  options.presentation.file_mask = ToOptionalNumber(object.Get("fmask")).value_or(umask);
  options.presentation.directory_mask = ToOptionalNumber(object.Get("dmask")).value_or(umask);
  const Napi::Value storage = object.Get("storage");
  if (storage.IsString()) {
    options.reading.storage =
        storage.As<Napi::String>().Utf8Value() == "local" ? StorageKind::kLocal : StorageKind::kNetwork;
  }
  Take(object.Get("verify"), &options.reading.verify);
  Take(object.Get("cacheSize"), &options.cache_bytes);
  if (!object.Get("subdir").IsUndefined()) options.subdir = ToBytes(object.Get("subdir"));
  options.flags.allow_other = object.Get("allowOther").ToBoolean();
  options.flags.no_exec = object.Get("noExec").ToBoolean();
  options.log = LogLine;
  return options;
}

Napi::Value ToNativeMount(Napi::Env env, const std::shared_ptr<Holder>& holder) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("ended", holder->Ended(env));
  object.Set("unmount", Napi::Function::New(env, [holder](const Napi::CallbackInfo& info) {
               const Status status = holder->Unmount(Holder::WhenBusy::kLazily);
               if (!status.ok()) throw ToError(info.Env(), status);
             }));
  object.Set("unmountUnused", Napi::Function::New(env, [holder](const Napi::CallbackInfo& info) {
               const Status status = holder->Unmount(Holder::WhenBusy::kNotAtAll);
               if (!status.ok() && status.code() != Code::kBusy) throw ToError(info.Env(), status);
               return Napi::Boolean::New(info.Env(), status.ok());
             }));
  object.Set("requests", Napi::Function::New(env, [holder](const Napi::CallbackInfo& info) {
               return Napi::Number::New(info.Env(), static_cast<double>(holder->requests()));
             }));
  object.Set("statistics", Napi::Function::New(env, [holder](const Napi::CallbackInfo& info) {
               return ToValue(info.Env(), holder->statistics());
             }));
  return object;
}

Napi::Value Mount(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<std::string> indexes;
  const auto list = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) indexes.push_back(ToBytes(list.Get(i)));
  auto attachment = std::make_shared<fuse::Attachment>();
  if (info[1].IsNumber()) {
    attachment->device.reset(info[1].As<Napi::Number>().Int32Value());
  } else {
    attachment->directory = ToBytes(info[1]);
  }
  const fuse::ServeOptions options = ToServeOptions(info[2].As<Napi::Object>());
  auto holder = std::make_shared<Holder>(env);
  return RunJob(
      env, {}, [=] { return holder->Start(indexes, std::move(*attachment), options, holder); },
      [holder](Napi::Env environment) { return ToNativeMount(environment, holder); });
}

Napi::Value Unmount(const Napi::CallbackInfo& info) {
  const std::string directory = ToBytes(info[0]);
  const bool lazy = info[1].ToBoolean();
  return RunJob(
      info.Env(), {}, [=] { return fuse::Unmount(directory, lazy); }, [](Napi::Env env) { return env.Undefined(); });
}

}  // namespace

void ExportFuse(Napi::Env env, Napi::Object exports) {
  exports.Set("mount", Napi::Function::New(env, Mount));
  exports.Set("unmount", Napi::Function::New(env, Unmount));
}

}  // namespace shoal::addon
