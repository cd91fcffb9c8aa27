import pytest

from shop.price import net_price, with_tax


@pytest.mark.parametrize("discount, expected", [(0, 10), (10, 9), (100, 0)])
def test_net_price(discount, expected):
    assert net_price(10, discount) == expected


def test_tax():
    assert with_tax(100) == 119
