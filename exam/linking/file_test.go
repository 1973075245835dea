package linking

import (
	"os"
	"strings"
	"testing"
)

func TestTheFileOfTheSamplePortalIsRight(t *testing.T) {
	raw, err := os.ReadFile("../../docs/linking-portal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Read("linking-portal.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	if f.Portal != "http://127.0.0.1:9999" || len(f.Accounts) != 6 || f.Accounts[2].CCCD != "038198000008" || f.Link.Confirm.Fields["do"] != "update" || f.Level2 == nil {
		t.Errorf("read otherwise: %+v", f)
	}
}

func TestEveryMistakeOfAFileIsReportedAtOnce(t *testing.T) {
	_, err := Read("mine.yaml", []byte(`
portal: https://dichvucong.gov.vn
login: {page: login}
local: {page: /in, fields: {user: "{usernam}"}}
whoami: {page: //evil.test}
acounts: []
accounts:
  - {kind: owner, username: a, marks: [abc]}
  - {kind: stranger, username: b, password: c, cccd: 12345}
level2: {page: /x}
`))
	if err == nil {
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

func TestAFormIsSentAsItStands(t *testing.T) {
	list := forms(`<!-- <form action="/old"> --><script>"<form>"</script>
<FORM method=post action="/a?b=1&amp;c=2">
  <input type="hidden" name="csrf" value="&quot;x>y&quot;">
  <input name='user' value=''><input type=checkbox name=off value=1><input type=checkbox name=on checked>
  <input type=radio name=which value=a><input type=radio name=which value=b checked>
  <select name=where><option value=1>1</option><option value=2 selected>2</option></select>
  <textarea name=why>a &amp; b</textarea><input disabled name=gone value=1><button name=do value=go>Go</button>
</form><input name=outside value=1>
<form action="/search"><input name=q></form>`)
	if len(list) != 2 {
		t.Fatalf("%d forms", len(list))
	}
	f := list[0]
	if f.action != "/a?b=1&c=2" || f.method != "POST" || list[1].method != "" || list[1].action != "/search" {
		t.Errorf("%+v %+v", f, list[1])
	}
	if got, want := f.values.Encode(), "csrf=%22x%3Ey%22&on=on&user=&where=2&which=b&why=a+%26+b"; got != want {
		t.Errorf("sends %s\nwant  %s", got, want)
	}
	if !f.names["do"] || !f.names["off"] || f.names["gone"] || f.names["outside"] {
		t.Errorf("names %v", f.names)
	}
}

func TestEveryScenarioIsExplainedInBothLanguages(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Scenarios() {
		key := s.ID + s.Name
		if seen[key] || s.play == nil || len(s.Spec) == 0 || s.Grade != must && s.Grade != should {
			t.Errorf("%s %s: twice, or something is missing", s.ID, s.Name)
		}
		seen[key] = true
		for _, x := range []Text{s.Title, s.What, s.Right} {
			if x.Vi == "" || x.En == "" || x.Vi == x.En {
				t.Errorf("%s %s: %q / %q", s.ID, s.Name, x.Vi, x.En)
			}
		}
	}
}
