// Package storagetest holds every backend to what vneid.Store promises. A
// backend's tests call [Run] with a way to open an empty store, and
// [RunShared] with a way to open two on one database. It knows vneid only and
// asks for nothing but what the interface says.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// The worlds of the tests; the second one exists to stay untouched.
const (
	world = "default"
	other = "lớp-2"
)

// noon is the time of the tests: whole milliseconds in UTC, as stores return it.
var noon = time.Date(2026, 11, 22, 5, 0, 0, 123e6, time.UTC)

// Run checks one backend. open returns an empty store that the test owns; Run
// closes it.
func Run(t *testing.T, open func(t *testing.T) vneid.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, vneid.Store)
	}{
		{"every field of every kind of row comes back", everyFieldComesBack},
		{"zero values come back as zero values", zeroValuesComeBack},
		{"times come back in UTC to the millisecond", timesComeBackInUTC},
		{"texts come back exactly or are refused", textsComeBackExactly},
		{"values read are copies", valuesReadAreCopies},
		{"what is not there is ErrNotFound", absentIsNotFound},
		{"a taken key is ErrExists and changes nothing", takenKeyExists},
		{"put replaces", putReplaces},

		{"accounts are found by number, name and phone", accountsAreFound},
		{"a renamed account is found by its new name only", renamedAccountIsFound},
		{"lists of people and devices go on after somebody", listsGoOn},
		{"rows are counted, but no further than asked", rowsAreCounted},
		{"clients are listed by id", clientsAreListed},
		{"a code and a session secret are found and unique", codesAndSecretsAreUnique},
		{"the open sessions of a browser are found", sessionsOfBrowserAreFound},
		{"a throttle begins empty", throttleBeginsEmpty},
		{"messages show when their time has come", messagesShowInTime},
		{"signing keys are listed oldest first", keysAreListed},

		{"a person has one device, the last that was put", oneDeviceEach},
		{"an activation is deleted once", activationIsDeletedOnce},
		{"logins of a person are listed newest first", loginsOfAPerson},
		{"of two logins with one short code the newest is found", newestShortCode},
		{"a wake-up comes after the commit, and only then", wakesAfterCommit},

		{"clients of a session are listed once", clientsOfASession},
		{"logout notices come by when they are due", noticesComeWhenDue},
		{"an assertion is taken once, until it expires", assertionIsTakenOnce},

		{"using a token claims it once", tokenIsUsedOnce},
		{"revoking a grant revokes its tokens only", grantIsRevoked},
		{"revoking a session's tokens leaves refresh tokens alone", sessionTokensAreRevoked},

		{"open sessions are listed newest first", sessionsAreListed},
		{"tokens of a person and of a client are revoked", tokensOfSomebodyAreRevoked},
		{"a person is deleted with what is theirs alone", accountIsDeletedWithWhatIsTheirs},
		{"a client is deleted with what it was given", clientIsDeletedWithWhatItWasGiven},

		{"an error rolls back and comes out unchanged", errorRollsBack},
		{"a panic rolls back and goes on", panicRollsBack},
		{"a cancelled context commits nothing", cancelledCommitsNothing},
		{"View cannot write", viewCannotWrite},
		{"Peek reads and cannot write", peekOnlyReads},
		{"a transaction is useless after its function returned", lateTxIsUseless},
		{"View sees one moment", viewSeesOneMoment},
		{"a stale version runs the function again", staleVersionRunsAgain},
		{"a function that never reads again gives up", foreverStaleGivesUp},
		{"a rolled back save takes its version back", rolledBackSaveTakesVersionBack},
		{"concurrent changes of one login are all recorded", concurrentChangesAreRecorded},
		{"of 64 racers for a token one wins", oneRacerWins},
		{"concurrent failures, panics and cancellations hurt nobody else", neighboursDoNotHurtEachOther},
		{"of 50 who count a new throttle, five are let through", throttleCountsEveryone},
		{"a family revoked while it rotates stays revoked", revokedFamilyStaysRevoked},
		{"changes in opposite orders end", opposingOrdersEnd},
		{"readers read while a writer writes", readersReadMeanwhile},

		{"rows leave a day after their end", expiredRowsLeave},
		{"a login in which nobody proved anything leaves after an hour", loginsOfNobodyLeaveSoon},
		{"a redeemed login outlives its tokens", tombstonesOutliveTheirTokens},
		{"a throttle stays while it counts", throttlesStayWhileTheyCount},
		{"many expired rows leave in small steps", manyExpiredRowsLeave},

		{"a record grows by parts, and the last result stays", recordsGrow},
		{"records are found by client, person and result", recordsAreFound},
		{"the oldest records leave", oldRecordsLeave},

		{"worlds do not see each other", worldsAreApart},
		{"clearing a world keeps its record and keys, and other worlds", clearKeepsRecordAndKeys},
		{"world records are listed and replaced", worldRecords},
		{"a deleted world leaves nothing, and a new one begins with nothing", deletedWorldLeavesNothing},
		{"worlds with logout notices are found", worldsWithLogoutNotices},
		{"a closed store is unavailable", closedIsUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			defer s.Close()
			c.test(t, s)
		})
	}
}

// update commits fn in the world of the tests, or ends the test.
func update(t *testing.T, s vneid.Store, fn func(vneid.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), world, fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func view(t *testing.T, s vneid.Store, fn func(vneid.Tx) error) {
	t.Helper()
	if err := s.View(context.Background(), world, fn); err != nil {
		t.Fatalf("View: %v", err)
	}
}

// get reads one value in a transaction of its own.
func get[V any](t *testing.T, s vneid.Store, in string, read func(vneid.Tx) (V, error)) V {
	t.Helper()
	var v V
	err := s.View(context.Background(), in, func(tx vneid.Tx) (err error) {
		v, err = read(tx)
		return err
	})
	if err != nil {
		t.Fatalf("read %T: %v", v, err)
	}
	return v
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, show(got), show(want))
	}
}

func show(v any) string {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && !r.IsNil() {
		v = r.Elem().Interface()
	}
	return fmt.Sprintf("%+v", v)
}

func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// fill sets every field of the struct that p points to, so that a field added
// to vneid and forgotten in a backend is noticed here.
func fill(p any, key string) {
	n := 0
	fillValue(reflect.ValueOf(p).Elem(), key, &n)
}

func fillValue(v reflect.Value, name string, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("%s %d Đặng Thị Ngọc Ẩn \"'<&>\\ \n\u2028", name, *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), name, n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range v.Len() {
			fillValue(v.Index(i), name, n)
		}
	case reflect.Map: // of JSON
		element := reflect.New(v.Type().Elem()).Elem()
		if element.Kind() == reflect.Interface {
			element.Set(reflect.ValueOf(fmt.Sprint(name, " ", *n)))
		} else {
			fillValue(element, name, n)
		}
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(name), element)
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(noon.Add(time.Duration(*n) * time.Second)))
			return
		}
		for i := range v.NumField() {
			fillValue(v.Field(i), v.Type().Field(i).Name, n)
		}
	default:
		panic("storagetest: cannot fill a " + v.Type().String())
	}
}

// insertLogin and insertToken put the smallest useful rows.
func insertLogin(t *testing.T, s vneid.Store, id string) {
	t.Helper()
	update(t, s, func(tx vneid.Tx) error {
		return tx.InsertLogin(&vneid.Login{ID: id, State: vneid.StateStarted, CreatedAt: noon, ExpiresAt: noon.Add(time.Minute)})
	})
}

func insertToken(t *testing.T, s vneid.Store, k vneid.Token) {
	t.Helper()
	update(t, s, func(tx vneid.Tx) error { return tx.InsertTokens(&k) })
}
