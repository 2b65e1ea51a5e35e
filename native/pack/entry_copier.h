// Copies entries of opened images into a catalogue: their metadata, and where their content lies. Nothing of a volume
// is read.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/catalogue.h"
#include "core/status.h"
#include "pack/attribute_table.h"
#include "pack/part_indexes.h"

namespace shoal {

class EntryCopier {
 public:
  // Rows of volumes are counted in 16 bits.
  static constexpr uint32_t kMaxVolumes = 65534;

  // Both outlive this.
  EntryCopier(const PartIndexes& indexes, Catalogue* out) : indexes_(indexes), out_(*out), attributes_(&table_) {}

  // Appends an entry of which nothing is known but its place.
  Status Append(std::string_view name, uint32_t parent);

  // Gives the entry all that `from`, resolved, has in the index of the layer; of a directory all but its children.
  Status Copy(uint32_t entry, uint32_t layer, const Entry& from);

  // Gives the result the volumes, too, of which it needs nothing.
  Status UseAllVolumes();

  void MakeAlias(uint32_t entry, uint32_t target) {
    out_.attributes[entry] = Catalogue::kAlias;
    out_.offsets[entry] = target;
  }

  // After the last entry. *used are the numbers of the volumes that the catalogue needs, ascending: these are its rows.
  Status Finish(std::vector<uint32_t>* used);

  uint64_t bytes() const { return bytes_; }  // of content of files

 private:
  Status SetMetadata(uint32_t entry, uint32_t layer, const Entry& from);
  Status SetContent(uint32_t entry, uint32_t layer, const Entry& file);
  Status SetChecksum(uint32_t entry, const IndexView& index, const Entry& file, uint64_t stored);
  Status SetOf(uint32_t layer, uint32_t set, uint32_t* number);
  Status UseVolume(uint32_t number, uint32_t* row);
  Status FinishAttributes();
  void FinishVolumes(std::vector<uint32_t>* used);
  bool IsStored(uint32_t entry) const;

  const PartIndexes& indexes_;
  Catalogue& out_;
  uint64_t bytes_ = 0;

  // The table numbers rows and sets by first use, because one thread asks it in the order of entries.
  AttributeTable table_;
  AttributeCache attributes_;
  std::unordered_map<uint64_t, uint32_t> sets_;  // layer and set in its index → number in the table
  std::unordered_map<uint32_t, uint32_t> rows_;  // number of a volume → its row, by first use until Finish
};

}  // namespace shoal
