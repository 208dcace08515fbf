package io.comptoir;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * What all engines get: a line of an order, and an order. It has getters, since that is what engines for Java look for.
 *
 * @param level the level of a customer
 * @param brand the brand of an article
 * @param price its price
 * @param pay what is paid
 * @param cost what it costs
 * @param coupon a coupon
 * @param items the items of the order
 */
public record Event(long level, String brand, double price, double pay, double cost, String coupon, List<Item> items) {
    /**
     * An item of an order.
     *
     * @param category the category
     * @param price the price
     * @param qty the quantity
     */
    public record Item(String category, double price, long qty) {
        public String getCategory() {
            return category;
        }

        public double getPrice() {
            return price;
        }

        public long getQty() {
            return qty;
        }
    }

    public long getLevel() {
        return level;
    }

    public String getBrand() {
        return brand;
    }

    public double getPrice() {
        return price;
    }

    public double getPay() {
        return pay;
    }

    public double getCost() {
        return cost;
    }

    public String getCoupon() {
        return coupon;
    }

    public List<Item> getItems() {
        return items;
    }

    /** Events that are the same in every run. */
    static List<Event> draw(int count) {
        Random draw = new Random(7);
        List<Event> events = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            double cost = 10 + draw.nextDouble() * 990;
            events.add(new Event(draw.nextInt(10), "b" + draw.nextInt(16), draw.nextDouble() * 1000,
                cost * (0.8 + 0.3 * draw.nextDouble()), cost, "C" + draw.nextInt(100), items(draw)));
        }
        return events;
    }

    /** Five items, of which no order has one above 900 or without a quantity in seven of ten cases. */
    private static List<Item> items(Random draw) {
        String[] categories = {"electronics", "books", "garden", "toys"};
        List<Item> items = new ArrayList<>();
        for (int number = 0; number < 5; number++) {
            items.add(new Item(categories[draw.nextInt(categories.length)], draw.nextDouble() * 950, draw.nextInt(60)));
        }
        return items;
    }
}
