def net_price(price, discount):
    return price * (100 - discount) / 100


def with_tax(price, percent=19):
    return round(price * (100 + percent) / 100, 2)
