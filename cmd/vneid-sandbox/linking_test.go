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

func TestTheTemplateIsRightAsItStands(t *testing.T) {
	f, err := linkingFile("../../docs/linking-template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if f.Register == nil || f.Declare == nil || f.Link.Start == nil || f.Link.Confirm == nil || f.Link.Skip == nil || f.Carried == nil || f.Unlink == nil || f.Unlink.Start == nil || f.Level2 == nil {
		t.Error("the template does not show every step")
	}
}

func TestAnExamByAFileAloneNeedsNoAddresses(t *testing.T) {
	var out strings.Builder
	code := run(t.Context(), []string{"exam", "--linking", "../../docs/linking-portal.yaml", "--api", "http://127.0.0.1:1/api/v1"}, &out, &out)
	if code != 2 || !strings.Contains(out.String(), "linking: ") || strings.Contains(out.String(), "is needed") {
		t.Errorf("%d %s", code, out.String())
	}
	out.Reset()
	if code := run(t.Context(), []string{"exam", "--linking", "../../docs/linking-portal.yaml", "--faults", "J99", "--api", "http://127.0.0.1:1/api/v1"}, &out, &out); code != 2 || !strings.Contains(out.String(), `"J99"`) {
		t.Errorf("%d %s", code, out.String())
	}
}

func TestABrowserForTheLinkingExamAloneIsRefused(t *testing.T) {
	var out strings.Builder
	if code := run(t.Context(), []string{"exam", "--browser", "--linking", "../../docs/linking-portal.yaml"}, &out, &out); code != 2 || !strings.Contains(out.String(), "--browser is for") {
		t.Errorf("%d %s", code, out.String())
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
