// A walked tree: its catalogue, and what is needed to open its files again and to notice that they changed.
#pragma once

#include <sys/stat.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/catalogue.h"
#include "core/directory_opener.h"
#include "pack/piece_sums.h"
#include "pack/plan.h"
#include "pack/volume_sink.h"

namespace shoal {

// One of the trees or files to pack. Only here symbolic links are followed.
struct Source {
  std::string given;     // as the user wrote it
  std::string absolute;  // worker threads have working directories of their own
  std::string name;      // its base name
};

struct PackCatalogue : Catalogue, DirectoryTree {
  // One source: [0] is the root. Several: [i] is entry i + 1, below a root made up.
  std::vector<Source> sources;
  bool made_up_root = false;
  bool complete = true;           // nothing is missing that was to be packed
  bool skips_unreadable = false;  // a directory that changed since the walk is told, and packed as the walk saw it
  // False for a slice: what was removed of the slices before has changed directories.
  bool checks_directories = true;
  std::vector<uint64_t> stamps;  // per entry: StampOf at the time of the walk, with kStampedLately
  // Per entry: what a file takes of its filesystem, in units of st_blocks (512 bytes), at most 2 TiB. Empty: the walk
  // was not asked for it.
  std::vector<uint32_t> spaces;
  // Per entry: the file that a copy has the content of, which is no copy; else kNone. Empty: there are no copies.
  std::vector<uint32_t> originals;
  unsigned threads = 0;  // that the walk was worth; 0 where it was another run's

  uint64_t content_bytes = 0;  // of files, aliases not counted again, holes included
  Plan plan;                   // of its volumes
  // Of the volumes, from their first byte until they are finished.
  std::vector<std::unique_ptr<VolumeSink>> sinks;
  std::deque<PieceSums> pieces;  // of what is written of each volume, but for the head

  bool IsTop(uint32_t entry) const { return made_up_root ? entry > 0 && parents[entry] == 0 : entry == 0; }
  const Source& SourceOf(uint32_t top) const { return sources[made_up_root ? top - 1 : 0]; }
  const AttributesRow& Row(uint32_t entry) const { return attribute_rows[attributes[entry]]; }
  bool IsAlias(uint32_t entry) const { return attributes[entry] == kAlias; }
  bool IsFile(uint32_t entry) const { return !IsAlias(entry) && S_ISREG(Row(entry).mode); }
  bool IsCopy(uint32_t entry) const { return !originals.empty() && originals[entry] != kNone; }
  bool HasData(uint32_t entry) const { return IsFile(entry) && !IsCopy(entry); }  // in its own member
  bool IsDirectory(uint32_t entry) const { return !IsAlias(entry) && S_ISDIR(Row(entry).mode); }

  // The path of `entry` as the user would write it: the source's, and what is below it.
  std::string SourcePath(uint32_t entry) const;

  Status ParentOf(uint32_t directory, uint32_t* parent, std::string* name) const override;
  Status OpenTop(uint32_t directory, UniqueFd* fd) const override;
};

// Bits that differ when inode or ctime do: any change to a file sets its ctime. Not of the device, whose number on a
// network filesystem differs from host to host. The lowest bit is free, for kStampedLately.
uint64_t StampOf(const struct stat& status);

// In a stamp of the walk: the file was changed within the last minute before, so that a write that did may be under way
// still.
constexpr uint64_t kStampedLately = 1;

// Whether that holds now.
bool IsStampedLately(const struct stat& status);

// Opens the directory that a source names, through symbolic links.
Status OpenSourceDirectory(const Source& source, UniqueFd* fd);

}  // namespace shoal
