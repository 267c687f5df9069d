import flbook as fl

# your params, any pytree of arrays, and your model(params, x) for a batch
before = params
after = train(params)
result = fl.checkup(before, after, x, y, f=model)
print(result)
print(result.table())
figure = result.figure()
