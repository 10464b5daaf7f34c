package httpapi

// Route is what tests see of a row of the route table.
type Route struct{ Name, Pattern, Action string }

// Routes returns the route table.
func Routes() []Route {
	var out []Route
	for i := range routes {
		out = append(out, Route{routes[i].Name, routes[i].Pattern, routes[i].Op.Action()})
	}
	return out
}
