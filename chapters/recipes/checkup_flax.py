import flbook as fl

# your flax.linen.Module; variables hold "params", and "batch_stats" if any
before = variables
after = train(variables)
result = fl.checkup(before, after, x, y, f=model.apply)
print(result)
print(result.table())
figure = result.figure()
