import copy

import flbook as fl

before = copy.deepcopy(model)
train(model)
result = fl.checkup(before, model, x, y)
print(result)
print(result.table())
figure = result.figure()
