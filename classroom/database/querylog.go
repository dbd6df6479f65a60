package database

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm/logger"
)

// slowQuery is far beyond what any query of ours may take on a healthy machine.
const slowQuery = 500 * time.Millisecond

// queryLog tells the operator about slow queries. Errors are returned to who asked, who logs them or not; the
// values of a query are personal and never appear.
type queryLog struct{ log *slog.Logger }

func (l queryLog) LogMode(logger.LogLevel) logger.Interface { return l }
func (queryLog) Info(context.Context, string, ...any)       {}
func (queryLog) Warn(context.Context, string, ...any)       {}
func (queryLog) Error(context.Context, string, ...any)      {}

func (l queryLog) Trace(ctx context.Context, begin time.Time, fc func() (string, int64), _ error) {
	took := time.Since(begin)
	if took < slowQuery {
		return
	}
	query, rows := fc()
	l.log.WarnContext(ctx, "slow query", "took", took.Round(time.Millisecond), "rows", rows, "sql", query)
}

// ParamsFilter makes gorm render the query with its placeholders.
func (queryLog) ParamsFilter(_ context.Context, query string, _ ...any) (string, []any) {
	return query, nil
}
