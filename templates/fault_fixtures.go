package templates

// faultFixtures are the states of the faults in the console.
func faultFixtures(f Frame) map[string]View {
	text := f.T
	o := OnConsole{Now: "2026-03-15T09:30:00+07:00"}
	said := o
	said.Said = "fault-armed"
	wrongIss := ConsoleFault{ID: "C01", Name: "iss-wrong", Title: text("console.faults.title"), Grade: "must", Seam: "id_token", Armed: true}
	armed := []ConsoleArmed{
		{ID: "C01", Title: text("console.faults.title"), ClientID: "my-portal", Percent: 100},
		{ID: "C02", Title: text("console.faults.title"), Variant: "trailing-slash", Persona: "038090000001", LoginHint: "038090000001", Times: 3, Percent: 50},
	}
	sections := []ConsoleFaultSection{{"C", "ID token", []ConsoleFault{wrongIss,
		{ID: "C12", Name: "aud-array-own-only", Title: text("console.faults.title"), Grade: "accept", Seam: "id_token"},
		{ID: "C14", Name: "azp-wrong", Title: text("console.faults.title"), Grade: "should", Seam: "id_token"},
		{ID: "C21", Name: "iat-week-old", Title: text("console.faults.title"), Grade: "either", Seam: "id_token"}}}}
	one := ConsoleFaultView{Frame: f, OnConsole: o, Fault: wrongIss, What: text("console.faults.title"), Right: text("console.faults.title"),
		WhatOther: "The ID token carries the iss of another server.", RightOther: "Compare iss byte by byte.", OtherLang: "en", Spec: []string{"OIDC Core §3.1.3.7 (2)"},
		Skippable: text("console.faults.title"), Asks: []string{"nonce"}, Clients: []ConsoleClientName{{"my-portal", "Cổng của bạn"}}, ClientID: "my-portal", Everybody: true,
		Variants: []ConsoleVariant{{"trailing-slash", text("console.faults.title"), true}, {"case", text("console.faults.title"), false}},
		Form:     Form{Values: map[string][]string{"times": {"0"}, "percent": {"100"}, "seed": {"0"}}}, Armed: armed[:1]}
	wrong := one
	wrong.Form = Form{Values: map[string][]string{"times": {"-1"}, "percent": {"200"}, "persona": {"1"}},
		Wrong: map[string]string{"times": text("console.wrong.times"), "percent": text("console.wrong.percent"), "persona": text("console.wrong.persona")}}
	played := one
	played.Played, played.Armed = true, nil
	return map[string]View{
		"console-faults":       ConsoleFaultsView{Frame: f, OnConsole: o, Armed: armed, Sections: sections},
		"console-faults-none":  ConsoleFaultsView{Frame: f, OnConsole: said, Sections: sections},
		"console-fault":        one,
		"console-fault-wrong":  wrong,
		"console-fault-played": played,
	}
}
