from chassis.rejection import Fault, Quota, Rejection, UnmetGuard

CONSTANT = Rejection(
    "conflict",
    "because",
    "It is so.",
    faults=[Fault("/x", "wrong", "Wrong.")],
    guards=[UnmetGuard("not-yet", "Not yet.")],
    extra={"available": []},
    current=("{}", 2),
    retry_after_seconds=1,
    quota=Quota("all", 10, 60, 7),
)


def frames(rejection: Rejection) -> int:
    number, at = 0, rejection.__traceback__
    while at is not None:
        number, at = number + 1, at.tb_next
    return number


def raised(rejection: Rejection) -> Rejection:
    try:
        raise rejection
    except Rejection as caught:
        return caught


def test_one_made_anew_says_the_same() -> None:
    again = CONSTANT.anew()
    assert again is not CONSTANT
    assert vars(again) == vars(CONSTANT)
    assert str(again) == str(CONSTANT)


def test_what_is_answered_keeps_nothing_of_the_requests_it_refused() -> None:
    for _ in range(3):
        raised(CONSTANT)
    assert frames(CONSTANT) > 1
    CONSTANT.forget_its_way()
    assert (frames(CONSTANT), CONSTANT.__context__, CONSTANT.__cause__) == (0, None, None)
    assert frames(raised(CONSTANT.anew())) == 1
    assert frames(CONSTANT) == 0
