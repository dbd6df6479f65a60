package lessons

import (
	"log/slog"
	"time"

	"chalkcast/classroom/database"
)

// Config is what New needs.
type Config struct {
	DB  *database.DB
	Log *slog.Logger     // nil means slog.Default
	Now func() time.Time // nil means time.Now
}

// Lessons is the feature. Safe for concurrent use.
type Lessons struct {
	db  *database.DB
	log *slog.Logger
	now func() time.Time
}
