"""Refusals, as RFC 9457 and this family of APIs' clients have them."""


def assert_problem(answer, status, code, *pointers):
    """That, and nothing else; `pointers` are the members that are named as wrong."""
    assert answer.status == status, answer
    assert answer.fields["content-type"] == "application/problem+json"
    problem = answer.json
    assert (problem["status"], problem["error"]) == (status, code)
    assert problem["detail"] == problem["message"] != ""
    assert [one["pointer"] for one in problem.get("errors", [])] == list(pointers), answer
    assert all(one["detail"] for one in problem.get("errors", []))
