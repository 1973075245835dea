package templates

import "slices"

// Form is what stands in a form of the console, and what is wrong with it.
type Form struct {
	Values  map[string][]string // by field, as it was typed
	Wrong   map[string]string   // by field, localised
	Problem string              // with the form as a whole, localised; "" = none
	Options map[string][]string // what can be chosen where that is not ours to know, by field
}

// Failed reports whether the form comes back with something to mend.
func (f Form) Failed() bool { return f.Problem != "" || len(f.Wrong) > 0 }

func (f Form) title(frame Frame, title string) string {
	if f.Failed() {
		return frame.T("frame.error") + ": " + title
	}
	return title
}

func (f Form) value(name string) string {
	if list := f.Values[name]; len(list) > 0 {
		return list[0]
	}
	return ""
}

// kinds of inputs
const (
	inText   = "text"
	inNumber = "number" // digits, in a text field: they are identifiers, not quantities
	inLines  = "lines"  // one value a line
	inOne    = "one"    // of some
	inMany   = "many"   // of some
	inSwitch = "switch"
)

// formField is a field of a form: label, hint and options have the keys
// console.field.<name>, console.field.<name>.hint, console.option.<name>.<option>.
type formField struct {
	name, kind string
	options    []string
	verbatim   bool // options are shown as they are written
}

// formGroup is a part of a form, console.group.<name>.
type formGroup struct {
	name   string
	folded bool // behind its name, unless something in it is wrong
	fields []formField
}

var personaForm = []formGroup{
	{name: "who", fields: []formField{
		{name: "cccd", kind: inNumber}, {name: "name", kind: inText}, {name: "birthdate", kind: inText},
		{name: "gender", kind: inOne, options: []string{"male", "female"}},
	}},
	{name: "account", fields: []formField{
		{name: "status", kind: inOne, options: []string{"active", "locked", "not_activated"}},
		{name: "account_level", kind: inOne, options: []string{"1", "2"}},
		{name: "account_type", kind: inOne, options: []string{"citizen", "foreigner"}},
		{name: "phone", kind: inNumber},
		{name: "sms", kind: inOne, options: []string{"instant", "late", "never"}},
		{name: "web_login", kind: inSwitch},
	}},
	{name: "more", folded: true, fields: []formField{
		{name: "email", kind: inText}, {name: "street", kind: inText}, {name: "commune", kind: inText}, {name: "province", kind: inText},
		{name: "cmnd", kind: inNumber},
	}},
	{name: "secrets", folded: true, fields: []formField{{name: "password", kind: inText}, {name: "passcode", kind: inNumber}}},
	{name: "note", fields: []formField{{name: "note", kind: inLines}}},
}

var clientForm = []formGroup{
	{name: "client", fields: []formField{
		{name: "client_id", kind: inText}, {name: "client_name", kind: inText}, {name: "redirect_uris", kind: inLines},
		{name: "token_endpoint_auth_method", kind: inOne, verbatim: true},
		{name: "jwks_uri", kind: inText}, {name: "require_pkce", kind: inSwitch},
	}},
	{name: "consent", fields: []formField{
		{name: "consent", kind: inOne, options: []string{"once", "always", "never"}},
		{name: "scope", kind: inMany, verbatim: true},
	}},
	{name: "logout", folded: true, fields: []formField{
		{name: "post_logout_redirect_uris", kind: inLines}, {name: "backchannel_logout_uri", kind: inText},
		{name: "backchannel_logout_session_required", kind: inSwitch},
		{name: "frontchannel_logout_uri", kind: inText}, {name: "frontchannel_logout_session_required", kind: inSwitch},
	}},
	{name: "tokens", folded: true, fields: []formField{
		{name: "id_token_signed_response_alg", kind: inOne, verbatim: true}, {name: "id_token_claims", kind: inMany, verbatim: true},
		{name: "subject_type", kind: inOne, options: []string{"pairwise", "public"}}, {name: "sector_identifier_uri", kind: inText},
		{name: "grant_types", kind: inMany, verbatim: true},
		{name: "access_token_lifetime", kind: inNumber}, {name: "id_token_lifetime", kind: inNumber}, {name: "refresh_token_lifetime", kind: inNumber},
	}},
	{name: "signin", folded: true, fields: []formField{
		{name: "min_account_level", kind: inOne, options: []string{"0", "1", "2"}},
		{name: "second_factor", kind: inOne, options: []string{"", "sms", "app_code", "none"}},
		{name: "number_matching", kind: inOne, options: []string{"", "true", "false"}},
	}},
}

// Group is a part of a form as it is drawn.
type Group struct {
	Frame
	Legend string
	Folded bool
	Wrong  bool
	Inputs []Input
}

// Input is a field as it is drawn.
type Input struct {
	Frame
	Name, ID, Kind, Label, Hint, Value, Wrong string
	Choices                                   []Choice
	Digits, Focus                             bool
}

// Choice is an option of a field.
type Choice struct {
	ID, Value, Label string
	On, Verbatim     bool
}

// groups draws a form but for the fields it is told to leave out. The first
// wrong field gets the focus.
func (f Form) groups(frame Frame, spec []formGroup, without ...string) (list []Group) {
	focused := false
	for _, g := range spec {
		drawn := Group{Frame: frame, Legend: frame.T("console.group." + g.name), Folded: g.folded}
		for _, field := range g.fields {
			if slices.Contains(without, field.name) {
				continue
			}
			in := f.input(frame, field)
			if in.Wrong != "" {
				drawn.Wrong = true
				in.Focus, focused = !focused, true
			}
			drawn.Inputs = append(drawn.Inputs, in)
		}
		if len(drawn.Inputs) > 0 {
			list = append(list, drawn)
		}
	}
	return list
}

func (f Form) input(frame Frame, field formField) Input {
	in := Input{Frame: frame, Name: field.name, ID: "f-" + field.name, Kind: field.kind, Value: f.value(field.name), Wrong: f.Wrong[field.name],
		Label: frame.T("console.field." + field.name)}
	if hint := "console.field." + field.name + ".hint"; HasText(hint) {
		in.Hint = frame.T(hint)
	}
	if field.kind == inNumber {
		in.Kind, in.Digits = inText, true
	}
	options := field.options
	if options == nil {
		options = f.Options[field.name]
	}
	for _, o := range options {
		c := Choice{ID: in.ID + "-" + o, Value: o, Label: o, On: slices.Contains(f.Values[field.name], o), Verbatim: field.verbatim}
		if !field.verbatim {
			c.Label = frame.T("console.option." + field.name + "." + o)
		}
		in.Choices = append(in.Choices, c)
	}
	if field.kind == inOne && !slices.ContainsFunc(in.Choices, func(c Choice) bool { return c.On }) && in.Value == "" {
		for i := range in.Choices { // "" may be a choice of its own
			in.Choices[i].On = in.Choices[i].Value == ""
		}
	}
	return in
}

// wrongs are the fields to mend, for the summary above the form.
func wrongs(groups []Group) (list []Input) {
	for _, g := range groups {
		for _, in := range g.Inputs {
			if in.Wrong != "" {
				list = append(list, in)
			}
		}
	}
	return list
}

// Summary is what stands above a form that comes back.
type Summary struct {
	Frame
	Problem string
	Wrong   []Input
}

func (f Form) summary(frame Frame, groups []Group) *Summary {
	if !f.Failed() {
		return nil
	}
	return &Summary{Frame: frame, Problem: f.Problem, Wrong: wrongs(groups)}
}

// Groups are the parts of the form; the number of a person cannot change.
func (v ConsolePersonView) Groups() []Group      { return v.Form.groups(v.Frame, personaForm, "cccd") }
func (v ConsoleNewPersonView) Groups() []Group   { return v.Form.groups(v.Frame, personaForm) }
func (v ConsoleClientView) Groups() []Group      { return v.Form.groups(v.Frame, clientForm, "client_id") }
func (v ConsoleNewClientView) Groups() []Group   { return v.Form.groups(v.Frame, clientForm) }
func (v ConsolePersonView) Summary() *Summary    { return v.Form.summary(v.Frame, v.Groups()) }
func (v ConsoleNewPersonView) Summary() *Summary { return v.Form.summary(v.Frame, v.Groups()) }
func (v ConsoleClientView) Summary() *Summary    { return v.Form.summary(v.Frame, v.Groups()) }
func (v ConsoleNewClientView) Summary() *Summary { return v.Form.summary(v.Frame, v.Groups()) }

// Advance and Set are the fields of the clock.
func (v ConsoleClockView) Advance() Input {
	return v.Form.input(v.Frame, formField{name: "advance", kind: inText})
}
func (v ConsoleClockView) Set() Input {
	return v.Form.input(v.Frame, formField{name: "set", kind: inText})
}

// Steps are the leaps that a press of a button makes.
func (v ConsoleClockView) Steps() (list []Choice) {
	for _, by := range []string{"1m", "5m", "1h", "24h", "720h"} {
		list = append(list, Choice{Value: by, Label: v.T("console.option.advance." + by)})
	}
	return list
}
