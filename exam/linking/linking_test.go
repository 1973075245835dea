package linking

import "testing"

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
