package attendance

import (
	"testing"

	"chalkcast/classroom/database/databasetest"
)

func TestModels(t *testing.T) {
	databasetest.Models(t, &viewRow{}, &intervalRow{}, &registerRow{}, &studentRow{}, &correctionRow{}, &joinFailureRow{}, &policyRow{})
}
