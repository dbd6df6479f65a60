package chat_test

import (
	"strconv"

	"gorm.io/gorm"
)

type databaseTx = *gorm.DB

func n0(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
