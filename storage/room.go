package storage

// maxReserve is what is left free of a big disk.
const maxReserve = 512 << 20

// Reserve returns how much of a disk of total bytes media leave free for what must be written even then: the
// database, journals. It is a twentieth, though no more than 512 MiB.
func Reserve(total int64) int64 { return min(max(total, 0)/20, maxReserve) }

// Tight reports whether another size bytes would eat into the reserve of a disk with so much room.
func Tight(free, total, size int64) bool { return free >= 0 && free-size < Reserve(total) }
