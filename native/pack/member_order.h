// In which order the members of entries stand in the volumes (FORMAT §6.2).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "pack/pack_catalogue.h"

namespace shoal {

class MemberOrder {
 public:
  MemberOrder(const PackCatalogue* catalogue, bool samples);

  // Whether it differs from the order of entries even if no other one is asked for.
  bool HasFollowers() const { return !aliases_.empty() || !copies_.empty(); }

  // Fills *members with all entries but directories, each alias behind the entry that it names, each copy behind its
  // original, those of a sample one after the other where samples are wanted. First those that options.order_file
  // lists, as it lists them; then the others, in the order of entries. *strays gets what the file names besides.
  Status Run(const PlanOptions& options, std::vector<uint32_t>* members, Strays* strays);

 private:
  using Pairs = std::vector<std::pair<uint32_t, uint32_t>>;

  Status AddListed(const PlanOptions& options, Strays* strays);
  void AddUnit(uint32_t entry);
  void AddAliases(uint32_t target);
  void AddCopies(uint32_t original);

  const PackCatalogue& catalogue_;
  const bool samples_;
  Pairs aliases_;  // target, alias
  Pairs copies_;   // original, copy
  std::vector<bool> added_;
  std::vector<uint32_t>* members_ = nullptr;
};

}  // namespace shoal
