package mail

func Models() []any { return []any{&mailRow{}} }

const (
	MaxWaiting = maxWaiting
	FirstRetry = firstRetry
	LastRetry  = lastRetry
)
