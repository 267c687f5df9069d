import flbook as fl

# your equinox.Module, called on one input; dropout is switched off here
before = model
after = train(model)
result = fl.checkup(before, after, x, y)
print(result)
print(result.table())
figure = result.figure()
