"""ResNet-50 (He and others, 2015), so that nothing but PyTorch need be brought along."""

from torch import nn


def convolution(inside, outside, size, stride=1):
    return nn.Sequential(
        nn.Conv2d(inside, outside, size, stride, size // 2, bias=False), nn.BatchNorm2d(outside)
    )


class Bottleneck(nn.Module):
    def __init__(self, inside, width, stride):
        super().__init__()
        self.way = nn.Sequential(
            convolution(inside, width, 1),
            nn.ReLU(inplace=True),
            convolution(width, width, 3, stride),
            nn.ReLU(inplace=True),
            convolution(width, 4 * width, 1),
        )
        same = stride == 1 and inside == 4 * width
        self.past = nn.Identity() if same else convolution(inside, 4 * width, 1, stride)

    def forward(self, x):
        return nn.functional.relu(self.way(x) + self.past(x))


def resnet50():
    layers = [convolution(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    inside = 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            layers.append(Bottleneck(inside, width, 2 if block == 0 and width > 64 else 1))
            inside = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))
