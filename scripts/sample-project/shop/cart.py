from shop.price import net_price


class Cart:
    def __init__(self):
        self.items = []

    def add(self, name, price, count=1):
        self.items.append((name, price, count))

    def total(self, discount=0):
        return sum(net_price(price, discount) * count for _, price, count in self.items)
