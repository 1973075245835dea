package storagetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func listsGoOn(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error {
		for i := range 5 {
			c := vneid.CCCD(fmt.Sprintf("03819800000%d", i))
			if err := errors.Join(tx.PutAccount(person(c, "Lê Thị Hoa", "")), tx.PutDevice(&vneid.Device{CCCD: c, ID: "d" + string(c)})); err != nil {
				return err
			}
		}
		return tx.PutAccount(person("038198000009", "Trần Văn Ba", ""))
	})
	for _, c := range []struct {
		query string
		after vneid.CCCD
		limit int
		want  string
	}{
		{"", "", 2, "01"}, {"", "038198000001", 2, "23"}, {"", "038198000004", 9, "9"}, {"", "038198000009", 9, ""}, {"", "038", 0, ""},
		{"hoa", "", 2, "01"}, {"hoa", "038198000001", 9, "234"}, {"hoa", "038198000004", 9, ""},
	} {
		got := ""
		for _, a := range get(t, s, world, func(tx vneid.Tx) ([]vneid.Account, error) { return tx.AccountsAfter(c.query, c.after, c.limit) }) {
			got += string(a.CCCD[11:])
		}
		equal(t, fmt.Sprintf("AccountsAfter(%q, %q, %d)", c.query, c.after, c.limit), got, c.want)
	}
	for _, c := range []struct {
		after vneid.CCCD
		limit int
		want  string
	}{{"", 2, "01"}, {"038198000001", 9, "234"}, {"038198000004", 9, ""}, {"", 0, ""}} {
		got := ""
		for _, d := range get(t, s, world, func(tx vneid.Tx) ([]vneid.Device, error) { return tx.Devices(c.after, c.limit) }) {
			got += string(d.CCCD[11:])
		}
		equal(t, fmt.Sprintf("Devices(%q, %d)", c.after, c.limit), got, c.want)
	}
}

func rowsAreCounted(t *testing.T, s vneid.Store) {
	update(t, s, func(tx vneid.Tx) error {
		err := errors.Join(
			tx.PutClient(&vneid.Client{ClientMetadata: vneid.ClientMetadata{ClientID: "c"}}),
			tx.PutDevice(&vneid.Device{CCCD: "038198000001", ID: "d"}),
			tx.InsertSession(&vneid.Session{ID: "open", SecretHash: "1", ExpiresAt: noon.Add(time.Hour)}),
			tx.InsertSession(&vneid.Session{ID: "ended", SecretHash: "2", ExpiresAt: noon.Add(time.Hour), EndedAt: noon}),
			tx.InsertSession(&vneid.Session{ID: "expired", SecretHash: "3", ExpiresAt: noon}))
		for i := range 5 {
			err = errors.Join(err, tx.PutAccount(person(vneid.CCCD(fmt.Sprintf("03819800000%d", i)), "Lê Thị Hoa", "")))
		}
		return err
	})
	for most, accounts := range map[int]int{100: 5, 5: 5, 3: 4} {
		got := get(t, s, world, func(tx vneid.Tx) (vneid.Counts, error) { return tx.Counts(most, noon) })
		equal(t, fmt.Sprintf("counts up to %d", most), got, vneid.Counts{Accounts: accounts, Devices: 1, Clients: 1, Sessions: 1})
	}
	equal(t, "counts of another world", get(t, s, other, func(tx vneid.Tx) (vneid.Counts, error) { return tx.Counts(9, noon) }), vneid.Counts{})
}
