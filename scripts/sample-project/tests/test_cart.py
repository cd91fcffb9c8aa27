from shop.cart import Cart


def test_empty_cart_costs_nothing():
    assert Cart().total() == 0


def test_counts_are_multiplied():
    cart = Cart()
    cart.add("pencil", 2, count=3)
    assert cart.total() == 6


def test_discount():
    cart = Cart()
    cart.add("book", 20)
    assert cart.total(discount=50) == 10
