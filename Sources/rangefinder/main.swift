import ArgumentParser
print("rangefinder")
