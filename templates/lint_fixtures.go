package templates

// lintFixtures are the states of the lint in the console.
func lintFixtures(f Frame) map[string]View {
	const at = "2026-11-22T09:30:05+07:00"
	o := OnConsole{Now: at}
	none := ConsoleReport{ID: "kiosk", Name: "Máy lấy số"}
	good := ConsoleReport{ID: "thanhhoa-portal", Name: "Cổng dịch vụ công tỉnh Thanh Hóa (bản mẫu)", Grade: "A", Score: 100, Logins: 50, Since: at}
	bad := ConsoleReport{ID: "my-portal", Name: "Cổng của bạn", Grade: "D", Score: 50, Logins: 12, Since: at, Errors: 2, Warnings: 1, Advices: 1}
	finding := func(id, severity string, count int, evidence ...ConsoleEvidence) ConsoleFinding {
		return ConsoleFinding{ID: id, Severity: severity, Title: f.T("message.why"), Fix: f.T("message.next"), TitleOther: "A code is redeemed twice.", FixOther: "Redeem it once.", OtherLang: "en",
			Reference: "RFC 6749 §4.1.2", Count: count, Evidence: evidence}
	}
	login := ConsoleEvidence{Login: "aB7xK2pL", At: at}
	step := ConsoleEvidence{Login: "Zq3mT0cV", Step: 6, At: at, Value: "#aB3dE6gH"}
	return map[string]View{
		"console-lint":      ConsoleLintView{Frame: f, OnConsole: o, Paging: Paging{First: true, Next: "after=thanhhoa-portal"}, Clients: []ConsoleReport{none, bad, good}},
		"console-lint-none": ConsoleLintView{Frame: f, OnConsole: o, Paging: Paging{First: true}},
		"console-lint-client": ConsoleLintClientView{Frame: f, OnConsole: o, Client: bad, Most: 50, Findings: []ConsoleFinding{
			finding("code.twice", "error", 7, step, step, login), finding("state.url", "error", 1, ConsoleEvidence{Login: "hH4nW9qR", Step: 1, At: at, Value: "https://portal.test/…"}),
			finding("pkce.missing", "warning", 1, step), finding("query.unencoded", "advice", 1, step)}},
		"console-lint-good":    ConsoleLintClientView{Frame: f, OnConsole: o, Client: good, Most: 50},
		"console-lint-nothing": ConsoleLintClientView{Frame: f, OnConsole: o, Client: none, Most: 50},
	}
}
