"""Written by benchmarks/cifar10_timings.py from cifar10_*.json beside it; change none by hand."""

recorded = {
    "cpu": {
        "machine": "AMD EPYC",
        "date": "2026-11-25",
        "stored_as": "JPEG, quality 75",
        "pictures": 10000,
        "tests": 2000,
        "curves": [
            {
                "contestant": "a",
                "parameters": 2997642,
                "epochs": [  # seconds, share of test pictures named rightly
                    (38.6, 0.101),
                    (76.2, 0.101),
                    (113.5, 0.101),
                    (151.1, 0.154),
                    (189.3, 0.1855),
                    (226.9, 0.166),
                    (265.2, 0.1555),
                    (303.3, 0.156),
                    (340.7, 0.185),
                    (378.0, 0.191),
                    (415.6, 0.192),
                    (454.6, 0.174),
                    (492.8, 0.1965),
                    (531.4, 0.1945),
                    (569.5, 0.159),
                    (608.1, 0.1695),
                    (646.7, 0.1985),
                    (685.8, 0.21),
                    (724.3, 0.2205),
                    (762.0, 0.2205),
                    (800.5, 0.2285),
                    (837.5, 0.2045),
                    (873.7, 0.2535),
                    (911.4, 0.2415),
                    (948.7, 0.2565),
                ],
            },
            {
                "contestant": "b",
                "parameters": 2997642,
                "epochs": [  # seconds, share of test pictures named rightly
                    (32.7, 0.2425),
                    (64.8, 0.2535),
                    (97.2, 0.3675),
                    (130.3, 0.4415),
                    (161.9, 0.4845),
                ],
            },
            {
                "contestant": "c",
                "parameters": 498104,
                "epochs": [  # seconds, share of test pictures named rightly
                    (14.2, 0.433),
                    (27.9, 0.621),
                    (42.0, 0.7505),
                ],
            },
        ],
    },
}
