package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"chalkcast/classroom/database"
	"chalkcast/media"
)

// Line is one thing that was done.
type Line struct {
	At     time.Time
	Actor  media.ID       // 0: the program itself, or somebody unknown
	Action string         // noun.verb: key.revoke
	Object string         // what it was done to, see Object
	Detail map[string]any // may be nil
}

// Object names a thing in a line: course:0abc….
func Object(kind string, id media.ID) string { return kind + ":" + id.String() }

// row is a line as the table keeps it.
type row struct {
	Seq     int64 `gorm:"primaryKey;autoIncrement:false"`
	At      database.Instant
	ActorID media.ID
	Action  string
	Object  string
	Detail  string
	Prev    []byte
	Hash    []byte
}

func (row) TableName() string { return "audit" }

type head struct {
	ID   int64 `gorm:"primaryKey;autoIncrement:false"`
	Seq  int64
	Hash []byte
}

func (head) TableName() string { return "audit_head" }

// anchor is the last line that Sweep removed.
type anchor struct {
	ID   int64 `gorm:"primaryKey;autoIncrement:false"`
	Seq  int64
	Hash []byte
}

func (anchor) TableName() string { return "audit_anchor" }

// Write adds l inside the transaction tx.
func Write(ctx context.Context, tx *gorm.DB, l Line) error {
	detail := []byte("{}")
	if len(l.Detail) > 0 {
		var err error
		if detail, err = json.Marshal(l.Detail); err != nil {
			return fmt.Errorf("write audit line: %w", err)
		}
	}
	// The update takes the lock on the head; whoever comes second waits here until we commit.
	if err := gorm.G[head](tx).Exec(ctx, "UPDATE audit_head SET seq = seq + 1 WHERE id = 1"); err != nil {
		return fmt.Errorf("write audit line: %w", err)
	}
	h, err := gorm.G[head](tx).Where("id = 1").Take(ctx)
	if err != nil {
		return fmt.Errorf("read end of audit: %w", err)
	}
	r := row{
		Seq: h.Seq, At: database.At(l.At), ActorID: l.Actor, Action: l.Action, Object: l.Object,
		Detail: string(detail), Prev: h.Hash,
	}
	r.Hash = r.sum()
	if err := gorm.G[row](tx).Create(ctx, &r); err != nil {
		return fmt.Errorf("write audit line: %w", err)
	}
	if err := gorm.G[head](tx).Exec(ctx, "UPDATE audit_head SET hash = ? WHERE id = 1", r.Hash); err != nil {
		return fmt.Errorf("write audit line: %w", err)
	}
	return nil
}

// sum is the hash of a line: every field with its length before it, so that no two lines read the same.
func (r *row) sum() []byte {
	var b []byte
	for _, field := range [][]byte{
		binary.BigEndian.AppendUint64(nil, uint64(r.Seq)),
		binary.BigEndian.AppendUint64(nil, uint64(r.At)),
		binary.BigEndian.AppendUint64(nil, uint64(r.ActorID)),
		[]byte(r.Action), []byte(r.Object), []byte(r.Detail), r.Prev,
	} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
		b = append(b, field...)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// ErrBroken is wrapped by what Verify returns for a chain that does not hold.
var ErrBroken = errors.New("the audit log was changed")

// Verify reads all lines and returns how many there are. It wraps ErrBroken, and names the line, when one is not
// what was written.
func Verify(ctx context.Context, db *database.DB) (lines int, err error) {
	err = db.Snapshot(ctx, func(tx *gorm.DB) error {
		lines, err = verify(ctx, tx)
		return err
	})
	return lines, err
}

func verify(ctx context.Context, tx *gorm.DB) (lines int, err error) {
	begin, err := gorm.G[anchor](tx).Where("id = 1").Take(ctx)
	if err != nil {
		return 0, fmt.Errorf("read begin of audit: %w", err)
	}
	last := row{Seq: begin.Seq, Hash: begin.Hash}
	for {
		rows, err := gorm.G[row](tx).Where("seq > ?", last.Seq).Order("seq").Limit(1000).Find(ctx)
		if err != nil {
			return lines, fmt.Errorf("read audit: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			if r.Seq != last.Seq+1 || !bytes.Equal(r.Prev, last.Hash) {
				return lines, fmt.Errorf("%w: line %d does not follow line %d", ErrBroken, r.Seq, last.Seq)
			}
			if !bytes.Equal(r.Hash, r.sum()) {
				return lines, fmt.Errorf("%w: line %d", ErrBroken, r.Seq)
			}
			last = r
			lines++
		}
	}
	h, err := gorm.G[head](tx).Where("id = 1").Take(ctx)
	if err != nil {
		return lines, fmt.Errorf("read end of audit: %w", err)
	}
	if h.Seq != last.Seq || !bytes.Equal(h.Hash, last.Hash) {
		return lines, fmt.Errorf("%w: it ends at line %d, %d were written", ErrBroken, last.Seq, h.Seq)
	}
	return lines, nil
}

// Of returns the newest lines about object, at most limit.
func Of(ctx context.Context, q *gorm.DB, object string, limit int) ([]Line, error) {
	rows, err := gorm.G[row](q).Where("object = ?", object).Order("seq DESC").Limit(limit).Find(ctx)
	if err != nil {
		return nil, fmt.Errorf("read audit of %s: %w", object, err)
	}
	lines := make([]Line, 0, len(rows))
	for _, r := range rows {
		l := Line{At: r.At.Time(), Actor: r.ActorID, Action: r.Action, Object: r.Object}
		if err := json.Unmarshal([]byte(r.Detail), &l.Detail); err != nil {
			return nil, fmt.Errorf("read audit line %d: %w", r.Seq, err)
		}
		lines = append(lines, l)
	}
	return lines, nil
}
