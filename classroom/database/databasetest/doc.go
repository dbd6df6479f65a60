// Package databasetest gives tests a fresh, migrated database of their own: SQLite in a temp dir, and PostgreSQL
// too when CHALKCAST_TEST_POSTGRES holds the address of a server on which the tests may create databases.
//
//	databasetest.Each(t, func(t *testing.T, db *database.DB) { … })   // one subtest for each kind of database
//	db := databasetest.New(t)                                         // SQLite alone, where SQL is not the point
//	databasetest.Models(t, &courseRow{}, &enrollmentRow{})            // row structs against the schema
package databasetest
