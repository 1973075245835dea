package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheFileOfTheSamplePortalIsRight(t *testing.T) {
	f, err := linkingFile("../../docs/linking-portal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if f.Portal != "http://127.0.0.1:9999" || len(f.Accounts) != 6 || f.Accounts[2].CCCD != "038198000008" || f.Link.Confirm.Fields["do"] != "update" || f.Level2 == nil {
		t.Errorf("read otherwise: %+v", f)
	}
}

func TestEveryMistakeOfAFileIsReportedAtOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "mine.yaml")
	err := os.WriteFile(name, []byte(`
portal: https://dichvucong.gov.vn
login: {page: login}
local: {page: /in, fields: {user: "{usernam}"}}
whoami: {page: //evil.test}
acounts: []
accounts:
  - {kind: owner, username: a, marks: [abc]}
  - {kind: stranger, username: b, password: c, cccd: 12345}
level2: {page: /x}
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = linkingFile(name); err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, want := range []string{
		"mine.yaml:2: portal: hosts under .gov.vn are refused, always",
		"client_id: is missing",
		"mine.yaml:3: login.page: no path",
		"mine.yaml:4: local.fields.user: nothing is called {usernam}",
		"whoami.page: no path", "whoami.signed_in: is missing",
		`acounts: unknown; did you mean "accounts"?`,
		`accounts[0].kind: "owner" is none of them`, "accounts[0].password: is missing", "accounts[0].marks[0]: shorter than 4 bytes",
		"accounts[1].marks: are missing", "accounts[1].cccd: not 12 digits",
		"level2.granted: is missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}
