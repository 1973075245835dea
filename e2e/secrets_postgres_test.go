//go:build e2e && postgres

package e2e_test

import (
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
)

// The same canary over every row, and over every byte that the server keeps of them: tables, indexes and its log of changes.
func TestNothingSecretIsWrittenDownOnPostgreSQL(t *testing.T) {
	t.Parallel()
	server := pgtest.New(t, "full_page_writes=off")
	w := newWorld(t, withPortal, withDatabase(server.Database(t)))
	said, otps := w.leaveTraces(t)
	dump := server.Dump(t)
	written := map[string][]byte{"/metrics": said, "the dump": []byte(dump)}
	kept := 0
	for name, raw := range server.Files(t) {
		written[name] = raw
		if strings.Contains(string(raw), an.CCCD) {
			kept++
		}
	}
	if kept < 2 || !strings.Contains(dump, an.CCCD) {
		t.Errorf("An's number is in %d files: this test looks at the wrong ones", kept)
	}
	w.wantNoSecret(t, written)
	wantOTPsInInboxOnly(t, dump, "INSERT INTO test1.sms ", otps)
}
