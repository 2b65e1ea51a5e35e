#include "pack/step_turns.h"

#include <algorithm>
#include <utility>

namespace shoal {

bool StepTurns::Take(unsigned worker, FileReader* reader, size_t* step) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopped_()) {
    if (next_ < count_ && under_way_ < most_) {
      *step = next_++;
      under_way_++;
      return true;
    }
    if (next_ == count_ && under_way_ == 0) return false;
    Batch* const batch = Open();
    if (batch == nullptr) {
      const GrowingThreads::Idle idle(&threads_);
      waiting_++;
      more_.wait(lock);
      waiting_--;
      continue;
    }
    batch->helpers++;
    lock.unlock();
    Read(worker, reader, batch);
    lock.lock();
    if (--batch->helpers == 0) helped_.notify_all();
  }
  return false;
}

void StepTurns::End() {
  std::lock_guard<std::mutex> lock(mutex_);
  under_way_--;
  if (stopped_() || (next_ == count_ && under_way_ == 0)) {
    more_.notify_all();
  } else if (next_ < count_) {
    more_.notify_one();
  }
}

Status StepTurns::ReadAll(unsigned worker, FileReader* reader, size_t count, const ReadFile& read) {
  Batch batch(count, read);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    batches_.push_back(&batch);
    for (size_t i = 0; i + 1 < count && i < waiting_; i++) more_.notify_one();
  }
  Read(worker, reader, &batch);
  std::unique_lock<std::mutex> lock(mutex_);
  batches_.erase(std::find(batches_.begin(), batches_.end(), &batch));
  if (batch.helpers > 0) {
    const GrowingThreads::Idle idle(&threads_);
    helped_.wait(lock, [&batch] { return batch.helpers == 0; });
  }
  return std::move(batch.failure);
}

// With mutex_ held. One that has files left.
StepTurns::Batch* StepTurns::Open() {
  for (Batch* batch : batches_) {
    if (batch->next.load(std::memory_order_relaxed) < batch->count) return batch;
  }
  return nullptr;
}

void StepTurns::Read(unsigned worker, FileReader* reader, Batch* batch) {
  for (size_t number; (number = batch->next.fetch_add(1, std::memory_order_relaxed)) < batch->count;) {
    Status status = batch->read(number, reader);
    threads_.Count(worker);
    if (status.ok()) continue;
    std::lock_guard<std::mutex> lock(mutex_);
    if (batch->failure.ok()) batch->failure = std::move(status);
    batch->next = batch->count;
  }
}

}  // namespace shoal
